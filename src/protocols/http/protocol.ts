/** The protocol as people know it. */
export const PROTOCOL = 'HTTP';
