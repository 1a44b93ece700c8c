#!/bin/sh
# The interrupt handler of the demo: the kit's own, unless this instance is the
# one that hangs. That one reports progress once and then no more.
# Usage: hang.sh DIR
if [ -e "$1/hang-$CF_INSTANCE_INDEX" ]; then
	date +%s.%N >"$1/hung-$CF_INSTANCE_INDEX.new"
	mv "$1/hung-$CF_INSTANCE_INDEX.new" "$1/hung-$CF_INSTANCE_INDEX"
	echo '{"progress": 0.1, "message": "waiting for a lock that nobody releases"}'
	exec sleep 3600
fi
exec redis-node interrupt
