package estimate

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// Draws is how many ways things may go are looked at.
const Draws = 32

// shuffles are orders of the points of a distribution.
type shuffles [64][points]uint8

var orders = newShuffles()

func newShuffles() *shuffles {
	r := rand.New(rand.NewPCG(1, 2))
	s := &shuffles{}
	for k := range s {
		for i, at := range r.Perm(points) {
			s[k][i] = uint8(at)
		}
	}
	return s
}

// shuffled gives the place of i in one of the orders, turned by some.
func shuffled(pick uint32, i int) int {
	return int(orders[pick>>8%uint32(len(orders))][(uint32(i)+pick)%points])
}

// normal holds the middles of equally likely parts of the standard normal
// distribution.
var normal = newNormal()

func newNormal() (n [points]float64) {
	for i := range n {
		n[i] = math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/points-1)
	}
	return n
}

// chance goes through the steps of a roll, once for each of the draws. Over
// all draws each step takes each of its points once (Latin hypercube sampling,
// McKay, Beckman and Conover 1979): few draws then tell much.
type chance struct {
	// alone: it is one roll that is asked about, so that it does not matter
	// what else the same doubt would move.
	alone  bool
	random *rand.Rand
	picks  []uint32 // of each step in turn
	step   int      // the next
	at     int      // the draw
}

// newChance gives chances of their own to what has a name. Without a name they
// are those of one roll alone.
func newChance(name string) *chance {
	hash := fnv.New64a()
	hash.Write([]byte(name)) // never fails
	return &chance{alone: name == "", random: rand.New(rand.NewPCG(hash.Sum64(), 2))}
}

// begin begins a draw.
func (c *chance) begin(draw int) { c.at, c.step = draw, 0 }

// of gives how long the next step takes in this draw, in seconds.
func (c *chance) of(d *Dist) float64 { return c.value(d, c.point()) }

// longer is of for a step that has taken so long already: as long as one of the
// ways it may be that are longer, each as likely, and a little more where none is.
func (c *chance) longer(d *Dist, past float64) float64 {
	point, first := c.point(), 0
	for first < points && c.value(d, first) <= past {
		first++
	}
	if first == points {
		return past * overdue
	}
	return c.value(d, first+point*(points-first)/points)
}

// overdue is by which factor a step is expected to exceed what it has taken,
// where that is longer than any that was thought of.
const overdue = 1.1

// point chooses one of the points for the next step.
func (c *chance) point() int {
	if c.step == len(c.picks) {
		c.picks = append(c.picks, c.random.Uint32())
	}
	pick := c.picks[c.step]
	c.step++
	return shuffled(pick, c.at)
}

func (c *chance) value(d *Dist, point int) float64 {
	if c.alone {
		return d.next[point]
	}
	return d.at[point] * d.shift[c.at]
}
