/** `GET /api/session`, and what a login answers. */
export interface SessionShape {
  readonly user: { readonly name: string; readonly tags: readonly string[] };
  /** To be sent as `x-csrf-token` with what changes something; null for who has no session. */
  readonly csrf_token: string | null;
  /** Milliseconds since the epoch, when the session ends in any case; null for who has none. */
  readonly expires: number | null;
}
