package cluster_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"mooring/kits/redis/cluster"
	"mooring/model"
)

var app = model.Name{Org: "acme", Space: "prod", Name: "redis-data"}

func TestAViewIsReadFromWhatRedisSays(t *testing.T) {
	g := NewWithT(t)
	view, err := cluster.ParseView("" +
		"aaa 127.0.0.1:7000@17000,0.redis-data.prod.acme myself,master - 0 0 1 connected 0-5460 5462 [93->-bbb] [94-<-ccc]\n" +
		"bbb ::1:7001@17001,1.redis-data.prod.acme slave,fail aaa 1 2 3 disconnected\n" +
		"ccc 127.0.0.1:7002@17002,leaving.2.redis-data.prod.acme master,handshake - 0 0 0 connected\n" +
		"ddd :0@0,somewhere.example.org master,noaddr - 0 0 0 disconnected\n")
	g.Expect(err).NotTo(HaveOccurred())
	me := view.Myself()
	g.Expect(me.ID).To(Equal("aaa"))
	g.Expect(me.Identity).To(Equal(cluster.Identity{Index: 0, App: app}))
	g.Expect([]int{me.Port, me.Bus, me.Count()}).To(Equal([]int{7000, 17000, 5462}))
	g.Expect(me.Owns(5461)).To(BeFalse())
	g.Expect(me.Leaving).To(Equal(map[int]string{93: "bbb"}))
	g.Expect(me.Arriving).To(Equal(map[int]string{94: "ccc"}))
	g.Expect(view.Unowned()).To(HaveLen(cluster.Slots - 5462))
	replicas := view.Replicas("aaa")
	g.Expect(replicas).To(HaveLen(1))
	g.Expect(replicas[0].Host).To(Equal("::1"))
	g.Expect(replicas[0].Failed).To(BeTrue())
	g.Expect(view.Node("ccc").Quitting).To(BeTrue())
	g.Expect(view.Node("ccc").Handshake).To(BeTrue())
	g.Expect(view.Node("ddd").Known).To(BeFalse())
	g.Expect(view.Node("ddd").Host).To(BeEmpty())
}

func TestAViewThatIsNoneIsRefused(t *testing.T) {
	g := NewWithT(t)
	for _, text := range []string{
		"",
		"aaa 127.0.0.1:7000@17000 master - 0 0 1 connected\n", // nobody is myself
		"aaa 127.0.0.1:7000@17000 myself,master - 0 0 1\n",
		"aaa nowhere myself,master - 0 0 1 connected\n",
		"aaa 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 16384\n",
		"aaa 127.0.0.1:7000@17000 myself,master - 0 0 1 connected [5]\n",
	} {
		_, err := cluster.ParseView(text)
		g.Expect(err).To(HaveOccurred(), text)
	}
}

func TestAnIdentitySurvivesBeingAnnounced(t *testing.T) {
	g := NewWithT(t)
	id := cluster.Identity{Index: 12, App: app}
	read, ok := cluster.ParseIdentity(id.Hostname())
	g.Expect(ok).To(BeTrue())
	g.Expect(read).To(Equal(id))
	for _, text := range []string{"", "redis", "x.redis-data.prod.acme", "-1.redis-data.prod.acme", id.LeavingHostname()} {
		_, ok := cluster.ParseIdentity(text)
		g.Expect(ok).To(BeFalse(), text)
	}
}
