/** A passkey asked for by the API's options: bytes travel as base64url. */

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

interface Options {
  challenge: string;
  allowCredentials?: { id: string; type: PublicKeyCredentialType; transports?: AuthenticatorTransport[] }[];
  [name: string]: unknown;
}

/** Have the browser's passkey sign, and return what the API checks. */
export async function signed(options: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const given = options as Options;
  const publicKey = {
    ...given,
    challenge: bytes(given.challenge),
    allowCredentials: (given.allowCredentials ?? []).map((known) => ({ ...known, id: bytes(known.id) })),
  } as PublicKeyCredentialRequestOptions;
  const made = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential | null;
  if (!made) throw new Error("no passkey was used");
  const response = made.response as AuthenticatorAssertionResponse;
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      ...(response.userHandle ? { userHandle: text(response.userHandle) } : {}),
    },
  };
}
