package placement

// DefaultDomains is how many update domains the cells of one AZ and pool are
// cut into where nobody chose. A group has members in distinct domains up to
// this many, so it is the largest n/L (instances over the policy's limit) that
// is rolled without two of an app in one domain. More domains than the
// tightest n/L of a fleet make its plans longer chains of smaller steps, fewer
// make apps wait for themselves inside a domain.
const DefaultDomains = 10

// NextDomain gives the update domain, from 1 to domains, of a cell that joins
// others of its AZ and pool: the one that fewest of them are in, the lowest of
// several. taken holds the domains of the others, in any order; those beyond
// domains were given by hand and are left alone. What was assigned once stays,
// so a fleet that grows by a cell changes nobody's domain but its own.
func NextDomain(taken []int, domains int) int {
	counts := make([]int, max(domains, 1)+1)
	for _, domain := range taken {
		if domain >= 1 && domain < len(counts) {
			counts[domain]++
		}
	}
	next := 1
	for domain := range counts {
		if domain > 0 && counts[domain] < counts[next] {
			next = domain
		}
	}
	return next
}
