// Verifies messages with the reference library of Standard Webhooks: one JSON object per line on
// stdin ({"secret", "id", "timestamp", "signature", "body"}), the number of those it accepts on
// stdout. The first argument is the folder the library is in.
"use strict";

const path = require("node:path");
const { Webhook } = require(path.join(process.argv[2], "standardwebhooks"));

let text = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (part) => (text += part));
process.stdin.on("end", () => {
  let accepted = 0;
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const message = JSON.parse(line);
    try {
      new Webhook(message.secret).verify(message.body, {
        "webhook-id": message.id,
        "webhook-timestamp": message.timestamp,
        "webhook-signature": message.signature,
      });
      accepted += 1;
    } catch (error) {
      if (error.constructor.name !== "WebhookVerificationError") throw error;
    }
  }
  process.stdout.write(`${accepted}\n`);
});
