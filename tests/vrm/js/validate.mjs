// Prints what gltf-validator says of each file that is named: [{code, severity, pointer}], one line of JSON a file.
import { readFileSync } from "node:fs";
import validator from "gltf-validator";

for (const path of process.argv.slice(2)) {
  const report = await validator.validateBytes(new Uint8Array(readFileSync(path)), {
    maxIssues: 0,
  });
  console.log(JSON.stringify(report.issues.messages.map(({ code, severity, pointer }) => ({ code, severity, pointer }))));
}
