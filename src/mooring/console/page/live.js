// The connection to the server: one stream of messages that is opened again
// when it ends, and a judgement of whether what is shown is still true.

// After this long without a word the board calls itself stale: the server says
// something every second.
const patience = 4000;

export class Live {
  // onMessage is called with each board message, onState with "live" or
  // "stale" and why, whenever that changes.
  constructor(url, onMessage, onState) {
    Object.assign(this, { url, onMessage, onState });
    this.state = "connecting";
    this.heard = 0; // when the server last said anything, by performance.now()
    this.heardAt = null; // the same by the server's clock
    this.behind = 0; // server's clock minus ours, in ms
    this.pause = 250;
  }

  start() {
    this.begun = performance.now();
    this.open();
    setInterval(() => this.judge(), 500);
    // A laptop that slept, or a network that came back, need not wait.
    for (const event of ["online", "pageshow"]) addEventListener(event, () => this.state === "live" || this.reopen());
  }

  // now is the server's clock in ms.
  now() { return Date.now() + this.behind; }

  open() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const source = (this.source = new EventSource(this.url));
    const hear = (content) => {
      if (source !== this.source) return;
      this.heard = performance.now();
      this.heardAt = content.at;
      this.behind = Date.parse(content.at) - Date.now();
      this.pause = 250;
    };
    source.addEventListener("board", (event) => {
      const content = JSON.parse(event.data);
      hear(content);
      this.onMessage(content);
      this.say("live");
    });
    source.addEventListener("beat", (event) => {
      const content = JSON.parse(event.data);
      hear(content);
      if (this.hasBoard) this.say("live");
    });
    source.addEventListener("failed", (event) => {
      this.why = JSON.parse(event.data).error;
    });
    source.onerror = () => {
      // Browsers give up on some failures; we never do.
      source.close();
      if (source === this.source) this.later();
    };
  }

  later() {
    if (this.timer) return;
    this.timer = setTimeout(() => this.open(), this.pause);
    this.pause = Math.min(2 * this.pause, 3000);
    this.judge();
  }

  reopen() {
    this.source.close();
    this.open();
  }

  judge() {
    const silent = performance.now() - (this.heard || this.begun);
    if (silent < patience && !(this.timer && this.heard && silent > 1500)) return;
    this.say("stale");
    // A stream that is open and says nothing has lost its other end.
    if (!this.timer && silent > 2 * patience && this.source.readyState === EventSource.OPEN) {
      this.source.close();
      this.later();
    }
  }

  say(state) {
    if (state === "live") {
      this.hasBoard = true;
      this.why = undefined;
    }
    if (state === this.state && state === "live") return;
    this.state = state;
    this.onState(state);
  }
}
