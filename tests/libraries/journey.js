// Makes types of an OpenAPI document with openapi-typescript, has TypeScript check journey.ts against them,
// and goes that way.
//
// In: {document, baseUrl, buyer, upload, webhookUrl}. Out: {faults, steps}: what the compiler prints, and what
// each step saw.

const { execFileSync, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const modules = process.env.NODE_PATH;
const program = (name) => path.join(modules, ".bin", name);
const { document, ...given } = JSON.parse(fs.readFileSync(0, "utf8"));

// Beside the libraries, where compiler and program find them.
const folder = fs.mkdtempSync(path.join(path.dirname(modules), "journey-"));
try {
  const at = (name) => path.join(folder, name);
  fs.writeFileSync(at("document.json"), JSON.stringify(document));
  fs.copyFileSync(path.join(__dirname, "journey.ts"), at("journey.ts"));
  execFileSync(program("openapi-typescript"), [at("document.json"), "-o", at("schema.d.ts")], { stdio: "pipe" });
  const options = ["--strict", "--target", "es2022", "--module", "node16", "--types", "node"];
  const compiled = spawnSync(program("tsc"), [...options, at("journey.ts")], { cwd: folder, encoding: "utf8" });
  const steps = execFileSync("node", [at("journey.js")], { input: JSON.stringify(given), encoding: "utf8" });
  const faults = compiled.stdout.split("\n").filter((line) => line !== "");
  process.stdout.write(JSON.stringify({ faults, steps: JSON.parse(steps) }));
} finally {
  fs.rmSync(folder, { recursive: true });
}
