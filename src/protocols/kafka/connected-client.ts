/** Who is at the other end of a connection, as far as it says. */
export interface ConnectedClient {
  readonly address: string;
  readonly port: number;
  /** What ApiVersions says of the client's software (KIP-511); `unknown` when it does not say. */
  softwareName: string;
  softwareVersion: string;
}

/** UTF-16 units that are kept of a name or version. */
export const MAX_SOFTWARE_LENGTH = 200;

export const UNKNOWN_SOFTWARE = 'unknown';
