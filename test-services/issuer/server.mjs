// A real OpenID Connect issuer for tests: one client, and a form that lets in whoever says an address.
//
//   node server.mjs --port 4000 --client-id shop --client-secret secret --redirect-uri http://localhost:8080/callback
//
// It says its address when it is ready, remembers nothing when it ends, and listens on this machine only.

import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Provider } from "oidc-provider";

const { values: settings } = parseArgs({
  options: {
    port: { type: "string", default: "4000" },
    "client-id": { type: "string", default: "box-office" },
    "client-secret": { type: "string" },
    "redirect-uri": { type: "string", multiple: true, default: [] },
  },
});

const address = `http://127.0.0.1:${settings.port}`;
const scope = "openid email";

/** Who has signed in, by subject: the claims about them. */
const accounts = new Map();

const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });

const provider = new Provider(address, {
  clients: [
    {
      client_id: settings["client-id"],
      client_secret: settings["client-secret"],
      redirect_uris: settings["redirect-uri"],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  cookies: { keys: [randomBytes(32).toString("base64url")] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, subject) =>
    accounts.has(subject) ? { accountId: subject, claims: () => ({ sub: subject, ...accounts.get(subject) }) } : undefined,
  interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
  jwks: { keys: [{ ...key, alg: "RS256", use: "sig", kid: randomBytes(8).toString("hex") }] },
  // Nobody is asked for consent: the grant is made with the sign-in.
  async loadExistingGrant({ oidc }) {
    const known = oidc.session.grantIdFor(oidc.client.clientId);
    if (known) return oidc.provider.Grant.find(known);
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope(scope);
    await grant.save();
    return grant;
  },
  pkce: { required: () => true },
  responseTypes: ["code"],
  scopes: scope.split(" "),
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3600, IdToken: 600, Interaction: 600, Session: 3600 },
});

const form = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sign in at the test issuer</title>
<form method="post">
  <label>E-mail <input name="email" type="email" autofocus required></label>
  <label>The address is
    <select name="email_verified">
      <option value="true">proven</option>
      <option value="false">not proven</option>
      <option value="absent">not spoken of</option>
    </select>
  </label>
  <button>Sign in</button>
</form>
<form method="post"><button name="cancel" value="yes">Cancel</button></form>
`;

async function signIn(request, response) {
  if (request.method !== "POST") {
    await provider.interactionDetails(request, response);
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(form);
    return;
  }
  const said = new URLSearchParams(await text(request));
  const result = said.has("cancel") ? { error: "access_denied" } : { login: { accountId: account(said) } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

/** Makes the account of an address, or says anew whether the address is proven; returns its subject. */
function account(said) {
  const email = said.get("email") ?? "";
  const verified = said.get("email_verified") ?? "true";
  const subject = createHash("sha256").update(email.toLowerCase()).digest("hex").slice(0, 32);
  accounts.set(subject, { email, ...(verified === "absent" ? {} : { email_verified: verified === "true" }) });
  return subject;
}

async function text(request) {
  let body = "";
  for await (const part of request) body += part;
  return body;
}

const answer = provider.callback();

const server = createServer((request, response) => {
  if (!request.url.startsWith("/sign-in/")) return answer(request, response);
  signIn(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) response.writeHead(400);
    response.end("The sign-in has expired, or is another browser's.\n");
  });
});

server.listen(Number(settings.port), "127.0.0.1", () => console.log(address));
