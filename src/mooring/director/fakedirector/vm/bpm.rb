# Stands for BPM on the VMs of tests: `bpm start JOB` and `bpm stop JOB` with
# the processes of the job's bpm.yml. As BPM does, it runs them as user vcap,
# writes their output under /var/vcap/sys/log/JOB and their PID where monit looks
# for it, and does not start a process that asks for more open files than the
# VM allows. It isolates nothing.
require 'etc'
require 'fileutils'
require 'yaml'

action, job = ARGV
config = "/var/vcap/jobs/#{job}/config/bpm.yml"
abort "bpm: usage: bpm start|stop JOB" unless %w[start stop].include?(action) && job
abort "bpm: #{config}: no such file" unless File.exist?(config)

def alive?(pid)
  File.read("/proc/#{pid}/stat") !~ /\) Z /
rescue Errno::ENOENT
  false
end

def recorded(pidfile)
  pid = File.exist?(pidfile) ? File.read(pidfile).to_i : 0
  pid if pid.positive? && alive?(pid)
end

run, log, data = "/var/vcap/sys/run/bpm/#{job}", "/var/vcap/sys/log/#{job}", "/var/vcap/data/#{job}"
YAML.safe_load(File.read(config)).fetch('processes').each do |process|
  name = process.fetch('name')
  pidfile = "#{run}/#{name}.pid"
  if action == 'stop'
    if (pid = recorded(pidfile))
      Process.kill('TERM', pid)
      deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 20
      sleep 0.05 while alive?(pid) && Process.clock_gettime(Process::CLOCK_MONOTONIC) < deadline
      Process.kill('KILL', -pid) if alive?(pid)
    end
    FileUtils.rm_f(pidfile)
    next
  end
  next if recorded(pidfile)

  if (asked = process.dig('limits', 'open_files'))
    hard = Process.getrlimit(:NOFILE).last
    abort "bpm: error setting rlimits for ready process: error setting rlimit type 7: operation not permitted (#{asked} asked, #{hard} allowed)" if asked > hard
  end
  vcap = Etc.getpwnam('vcap')
  FileUtils.mkdir_p([run, log, "#{data}/tmp"])
  FileUtils.mkdir_p("/var/vcap/store/#{job}") if process['persistent_disk']
  FileUtils.chown('vcap', 'vcap', [log, data, "#{data}/tmp"])
  FileUtils.chown('vcap', 'vcap', "/var/vcap/store/#{job}") if process['persistent_disk']
  environment = { 'HOME' => data, 'TMPDIR' => "#{data}/tmp", 'LANG' => 'en_US.UTF-8', 'PATH' => '/usr/local/bin:/usr/bin:/bin' }
  environment.merge!(process['env'] || {})
  pid = fork do
    Process.setsid
    $stdin.reopen('/dev/null')
    $stdout.reopen("#{log}/#{name}.stdout.log", 'a')
    $stderr.reopen("#{log}/#{name}.stderr.log", 'a')
    Process.initgroups('vcap', vcap.gid)
    Process::GID.change_privilege(vcap.gid)
    Process::UID.change_privilege(vcap.uid)
    exec(environment, process.fetch('executable'), *(process['args'] || []).map(&:to_s), unsetenv_others: true, chdir: data)
  end
  Process.detach(pid)
  File.write(pidfile, pid.to_s)
end
