/** A topic as groups see it. */
export interface TopicInfo {
  readonly topicId: string;
  readonly name: string;
  readonly partitions: number;
}

/** What topics there are. */
export interface Topics {
  /** Another number whenever a topic was made, deleted or given partitions. */
  readonly version: number;
  byName(name: string): TopicInfo | undefined;
  byId(topicId: string): TopicInfo | undefined;
  names(): Iterable<string>;
}
