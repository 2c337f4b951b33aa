// Says of each webhook on standard input whether JavaScript's `standardwebhooks` verifies it, and whether
// its `v1a` signature verifies with a key of the JWKS, by the cryptography of Node.js.
//
// In: a JSON list of {secret, headers, body, keys}. Out: a JSON list of {v1, v1a}.

const crypto = require("node:crypto");
const fs = require("node:fs");
const { Webhook, WebhookVerificationError } = require("standardwebhooks");

function verifiesShared({ secret, headers, body }) {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}

function verifiesPublic({ headers, body, keys }) {
  const signed = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  const signatures = headers["webhook-signature"]
    .split(" ")
    .filter((signature) => signature.startsWith("v1a,"))
    .map((signature) => Buffer.from(signature.slice("v1a,".length), "base64"));
  return keys.some((jwk) => {
    const key = crypto.createPublicKey({ key: jwk, format: "jwk" });
    return signatures.some((signature) => crypto.verify(null, signed, key, signature));
  });
}

const messages = JSON.parse(fs.readFileSync(0, "utf8"));
const answers = messages.map((message) => ({
  v1: verifiesShared(message),
  v1a: verifiesPublic(message),
}));
process.stdout.write(JSON.stringify(answers));
