// Walks of somebody at a browser, in Chromium with a virtual authenticator, against a demonstration server:
//
//   mailed link -> session -> passkey made -> signed out -> signed in by passkey without an address -> tickets bought
//   the same with an OpenID Connect issuer instead of the link, and at the end once more by the issuer
//   a copy of the page at another origin, which gets the passkey's answer and may not use it
//
//   node walk.mjs --server PATH/TO/app-server [--chromium PATH]
//
// The server takes its settings from the environment: HTTP_ADDR, PUBLIC_URL and OAUTH_OIDC_* have to be there.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { parseArgs } from "node:util";
import puppeteer from "puppeteer-core";

const { values: given } = parseArgs({
  options: {
    server: { type: "string" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
  },
});

const PATIENCE = { timeout: 60_000 };
const ADA = "ada@example.com";
const GRACE = "grace@example.com";

/** What has to end when the walks do, the last first. */
const ends = [];

/** Starts a program and waits until what it prints matches. */
async function started(command, args, pattern) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  ends.push(async () => { child.kill(); await ended; });
  const printed = { text: "", log: "" };
  child.stdout.setEncoding("utf8").on("data", (more) => { printed.text += more; });
  child.stderr.setEncoding("utf8").on("data", (more) => { printed.log += more; });
  const until = async (wanted) => {
    const signal = AbortSignal.timeout(PATIENCE.timeout);
    while (!wanted.test(printed.text)) {
      const more = once(child.stdout, "data", { signal }).then(() => true, () => false);
      const told = await Promise.race([more, ended.then(() => false)]);
      if (!told) throw new Error(`${command} does not say ${wanted}:\n${printed.text}${printed.log}`);
    }
    return printed.text.match(wanted);
  };
  await until(pattern);
  return { until, log: () => printed.log };
}

class Visitor {
  static async at(url, browser) {
    const visitor = new Visitor();
    visitor.url = url;
    visitor.page = await browser.newPage();
    visitor.trouble = [];
    visitor.page.on("pageerror", (error) => visitor.trouble.push(error.message));
    visitor.page.on("console", (line) => { if (/Content Security Policy/.test(line.text())) visitor.trouble.push(line.text()); });
    visitor.devtools = await visitor.page.createCDPSession();
    await visitor.devtools.send("WebAuthn.enable");
    const options = {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    };
    visitor.authenticator = await visitor.devtools.send("WebAuthn.addVirtualAuthenticator", { options });
    return visitor;
  }

  open(path) { return this.page.goto(this.url + path); }

  isTold(words) {
    const told = (words) => document.getElementById("say")?.textContent.includes(words);
    return this.page.waitForFunction(told, PATIENCE, words);
  }

  /** Presses, and waits for the words that answer it. */
  async press(selector, words) {
    await this.page.locator(selector).setTimeout(PATIENCE.timeout).click();
    await this.isTold(words);
  }

  userIsVerified(isUserVerified) {
    return this.devtools.send("WebAuthn.setUserVerified", { ...this.authenticator, isUserVerified });
  }
}

async function makesAPasskeyAndBuysWithIt(visitor) {
  await visitor.press("#register", "The passkey is made");
  const { credentials: [credential] } = await visitor.devtools.send("WebAuthn.getCredentials", visitor.authenticator);
  assert(credential.isResidentCredential, "usernameless sign-in needs a resident key");
  await visitor.press("#logout", "not signed in");
  await visitor.press("#login", `You are signed in as ${ADA}`);
  await visitor.press("#buy", "Bought: completed");
  assert.equal((await visitor.page.$$("#tickets li")).length, 2);
}

async function mailedLink(visitor, server, address) {
  await visitor.open("/demo/passkey");
  await visitor.page.type("#address", address);
  await visitor.press("#mail button", "on its way");
  const [, link] = await server.until(new RegExp(`mail to ${address}[\\s\\S]*?(http:\\S+#token=[\\w-]+)`));
  return link;
}

async function byMailedLink(visitor, server) {
  const link = await mailedLink(visitor, server, ADA);
  await visitor.page.goto(link);
  // Whoever only looks uses nothing up.
  await visitor.page.reload();
  await visitor.page.goto("about:blank");
  await visitor.page.goto(link);
  await visitor.press("#go", `signed in as ${ADA}`);
  await visitor.press("#on", `signed in as ${ADA}`);
  await makesAPasskeyAndBuysWithIt(visitor);

  await visitor.press("#logout", "not signed in");
  await visitor.userIsVerified(false);
  await visitor.press("#login", "did not work");
  await visitor.userIsVerified(true);
  await visitor.press("#login", "You are signed in");
  await visitor.press("#passkeys li button:last-of-type", "removed");
  await visitor.press("#logout", "not signed in");
  await visitor.press("#login", "does not sign anybody in");
}

async function comesBackToThisSiteOnly(visitor, server) {
  const elsewhere = ["/\t/evil.test", "//evil.test", "/\\evil.test", "https://evil.test/"];
  for (const [number, address] of elsewhere.entries()) {
    const link = await mailedLink(visitor, server, `grace${number}@example.com`);
    await visitor.page.goto(link);
    await visitor.page.evaluate((address) => sessionStorage.setItem("return_to", address), address);
    await visitor.press("#go", "signed in as grace");
    assert(await visitor.page.$eval("#on", (on) => on.hidden), `${JSON.stringify(address)} leads away`);
    await visitor.page.evaluate(() => sessionStorage.clear());
  }
}

async function byIssuer(visitor) {
  const signIn = async () => {
    await visitor.open("/demo/passkey");
    await visitor.page.locator("#providers a").setTimeout(PATIENCE.timeout).click();
    await visitor.page.waitForFunction(() => document.querySelector("input[name=email]") || document.getElementById("say"), PATIENCE);
    if (await visitor.page.$("input[name=email]")) {
      await visitor.page.type("input[name=email]", ADA);
      await Promise.all([visitor.page.waitForNavigation(PATIENCE), visitor.page.click("form button")]);
    }
    await visitor.isTold(`You are signed in as ${ADA}`);
    await visitor.press("#on", `signed in as ${ADA}`);
  };
  await signIn();
  await makesAPasskeyAndBuysWithIt(visitor);
  await visitor.press("#logout", "not signed in");
  await signIn();
}

/** Reads the documentation, and tries an operation as whoever is signed in in this tab. */
async function triesTheDocumentation(visitor, server) {
  await visitor.page.goto(await mailedLink(visitor, server, "lin@example.com"));
  await visitor.press("#go", "signed in as lin");
  await visitor.open("/docs");
  const operation = "#operations-authentication-me";
  const press = (selector) => visitor.page.locator(`${operation} ${selector}`).setTimeout(PATIENCE.timeout).click();
  await press(".opblock-summary-control");
  await press(".try-out__btn");
  await press(".execute");
  const told = (selector) => document.querySelector(selector)?.textContent.includes("lin@example.com");
  await visitor.page.waitForFunction(told, PATIENCE, `${operation} .live-responses-table`);
}

/** Somebody else's site that hands everything on, as whoever fishes for sign-ins does. */
async function copyOf(url) {
  const copy = createServer((asked, answer) => {
    const { method, headers } = asked;
    const onwards = request(url + asked.url, { method, headers: { ...headers, host: new URL(url).host, origin: url } }, (told) => {
      answer.writeHead(told.statusCode, told.headers);
      told.pipe(answer);
    });
    onwards.on("error", () => answer.destroy());
    asked.pipe(onwards);
  }).listen(0, "localhost");
  await once(copy, "listening");
  return { url: `http://localhost:${copy.address().port}`, stop: () => { copy.closeAllConnections(); copy.close(); } };
}

async function fromAnotherOrigin(visitor, server) {
  await visitor.page.goto(await mailedLink(visitor, server, GRACE));
  await visitor.press("#go", `signed in as ${GRACE}`);
  await visitor.press("#on", `signed in as ${GRACE}`);
  await visitor.press("#register", "The passkey is made");
  await visitor.press("#logout", "not signed in");

  const copy = await copyOf(visitor.url);
  ends.push(copy.stop);
  await visitor.page.goto(`${copy.url}/demo/passkey`);
  await visitor.press("#login", "does not sign anybody in");

  await visitor.open("/demo/passkey");
  await visitor.press("#login", `You are signed in as ${GRACE}`);
}

try {
  const server = await started(given.server, ["demo"], /is open at/);
  const browser = await puppeteer.launch({ executablePath: given.chromium, args: ["--no-sandbox", "--headless=new"] });
  ends.push(() => browser.close());
  for (const walk of [
    byMailedLink, comesBackToThisSiteOnly, triesTheDocumentation, byIssuer, fromAnotherOrigin,
  ]) {
    const visitor = await Visitor.at(process.env.PUBLIC_URL, await browser.createBrowserContext());
    await walk(visitor, server);
    assert.deepEqual(visitor.trouble, []);
    console.log(`${walk.name}: done`);
  }
  assert(/audit/.test(server.log()), "the log says nothing of signing in");
  assert(!server.log().includes("@"), `an address is in the log:\n${server.log()}`);
} finally {
  for (const end of ends.reverse()) await end();
}
