/** `GET /api/users`: RabbitMQ's shape. */
export interface UserShape {
  readonly name: string;
  readonly tags: readonly string[];
  /** Empty for who has no password: such a user logs in by a certificate, or by SCRAM. Of others it is not told: sent back as it came, it keeps the password. */
  readonly password_hash: string;
  readonly hashing_algorithm: string;
  readonly limits: Readonly<Record<string, number>>;
}

/** `GET /api/permissions`. */
export interface PermissionShape {
  readonly user: string;
  readonly vhost: string;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** `GET /api/topic-permissions`. */
export interface TopicPermissionShape {
  readonly user: string;
  readonly vhost: string;
  readonly exchange: string;
  readonly write: string;
  readonly read: string;
}

/** `GET /api/policies`. */
export interface PolicyShape {
  readonly vhost: string;
  readonly name: string;
  readonly pattern: string;
  readonly 'apply-to': string;
  readonly priority: number;
  readonly definition: Readonly<Record<string, string | number | boolean>>;
}

/** `GET /api/acls`: entries of Kafka's access-control lists. */
export interface AclShape {
  readonly resource_type: string;
  readonly resource_name: string;
  readonly pattern: 'literal' | 'prefixed';
  /** `User:anna` */
  readonly principal: string;
  readonly host: string;
  readonly operation: string;
  readonly permission: 'allow' | 'deny';
}

/** `GET /api/acls/info` */
export interface AclInfoShape {
  /** Clients are asked what they may do: `kafka.authorizer`. */
  readonly enabled: boolean;
  readonly resource_types: readonly string[];
  readonly operations: readonly string[];
}

/** `GET /api/quotas`: how much clients of Kafka may use. Null is each one without a quota of its own; what is not there is not asked for. */
export interface QuotaShape {
  readonly name: string;
  readonly user?: string | null;
  readonly client_id?: string | null;
  readonly ip?: string | null;
  readonly values: Readonly<Record<string, number>>;
}

/** `GET /api/users/:user/scram`: never what passwords are checked by. */
export interface ScramShape {
  readonly mechanism: string;
  readonly iterations: number;
}
