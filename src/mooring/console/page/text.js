// Words for times and numbers.

// duration gives milliseconds as people say them: "8 s", "3 min", "2 h 5 min".
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10 && seconds % 60) return `${minutes} min ${seconds % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const shortFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });

// clock gives a moment as a time of day, with its day when that is not today.
export function clock(moment, now = Date.now()) {
  const date = new Date(moment);
  if (Math.abs(date - now) > 18 * 3600 * 1000) return dayFormat.format(date);
  return clockFormat.format(date);
}

// clockRange gives a range with its middle as "14:05 to 14:20, likely 14:11",
// as exactly as the range is wide.
export function clockRange(from, middle, to) {
  const near = Math.abs(to - Date.now()) < 18 * 3600 * 1000;
  const format = !near ? dayFormat : to - from < 10 * 60 * 1000 ? clockFormat : shortFormat;
  const texts = [from, to].map((moment) => format.format(new Date(moment)));
  return texts[0] === texts[1] ? texts[0] : `${texts.join(" to ")}, likely ${format.format(new Date(middle))}`;
}

export const count = (n, one, many = one + "s") => `${n.toLocaleString()} ${n === 1 ? one : many}`;

// shortApp drops org and space where there is no room for them.
export const shortApp = (name) => name.slice(name.lastIndexOf("/") + 1);

// Words that begin what the server says, where it is no name.
const beginnings = new Set(["a", "an", "progress", "the", "its", "it", "no", "nobody", "somebody", "cell", "plan", "roll", "app", "instance", "instances", "volume", "deployment", "update", "scale-down", "move"]);

// sentence begins a text with a capital, unless it begins with a name.
export const sentence = (text) => (beginnings.has(text.split(" ", 1)[0]) ? text[0].toUpperCase() + text.slice(1) : text);

// printable writes what would act on the page instead of being shown, such as
// marks that turn the direction of the text, as an escape. Everything that is
// shown goes through it.
const acts = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
export const printable = (text) => text.replace(acts, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

export const percent = (share) => `${Math.round(100 * share)} %`;
