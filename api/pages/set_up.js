"use strict";
const link = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
const $ = (id) => document.getElementById(id);
let factor = "";

async function send(path, body) {
  const answer = await fetch("/api/v1" + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Aether-Request": "1" },
    body: JSON.stringify(body),
  });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.detail);
  return content;
}

async function tried(act) {
  $("problem").textContent = "";
  try {
    await act();
  } catch (error) {
    $("problem").textContent = error.message;
  }
}

async function showFactor() {
  $("person").hidden = true;
  const made = await send("/me/factors/totp", {});
  factor = made.factor;
  $("secret").textContent = made.secret.match(/.{1,4}/g).join(" ");
  const image = new DOMParser().parseFromString(made.qr, "image/svg+xml");
  $("qr").replaceChildren(document.importNode(image.documentElement, true));
  $("factor").hidden = false;
}

function showCodes(added) {
  $("factor").hidden = true;
  $("list").textContent = added.recovery_codes.join("\n");
  $("codes").hidden = false;
}

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

async function makePasskey() {
  const { options } = await send("/me/factors/passkey/begin", {});
  options.challenge = bytes(options.challenge);
  options.user.id = bytes(options.user.id);
  for (const known of options.excludeCredentials || []) known.id = bytes(known.id);
  const made = await navigator.credentials.create({ publicKey: options });
  const response = {
    clientDataJSON: text(made.response.clientDataJSON),
    attestationObject: text(made.response.attestationObject),
  };
  const credential = { id: made.id, rawId: text(made.rawId), type: made.type, response };
  showCodes(await send("/me/factors/passkey", { label: "passkey", credential }));
}

$("person").addEventListener("submit", (event) => {
  event.preventDefault();
  tried(async () => {
    const body = { link, password: $("password").value };
    if (!$("names").hidden) {
      body.name = $("name").value;
      body.display_name = $("display").value;
    }
    await send("/enrolment", body);
    await showFactor();
  });
});
$("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  tried(async () => showCodes(await send(`/me/factors/totp/${factor}/confirm`, { code: $("code").value })));
});
$("passkey").addEventListener("click", () => tried(makePasskey));

tried(async () => {
  const found = await send("/enrolment/look", { link });
  $("names").hidden = found.purpose !== "first";
  $("person").hidden = false;
});
