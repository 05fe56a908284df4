// The addresses of this machine that all sockets are bound to (--bind). Knows neither sockets nor interfaces.

export interface Binding {
  /** The address or the interface, as the user named it. */
  readonly name: string;
  /** At least one; IPv4 comes first. One that is link-local carries its zone (RFC 4007). */
  readonly addresses: readonly string[];
}

/** Of an IP address. */
export type Family = 4 | 6;

/** @param address an IP literal */
export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

/** The one address that sockets of this family are bound to; undefined: there is none, and so no such socket either. */
export function boundAddress({ addresses }: Binding, family: Family): string | undefined {
  return addresses.find(address => familyOf(address) === family);
}

/** Why an address of this family cannot be reached; fits behind `<what failed>: `. */
export function unreachable(family: Family): string {
  return `no IPv${family} address is bound`;
}
