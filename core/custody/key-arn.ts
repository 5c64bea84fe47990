/** An AWS KMS key, taken apart. */
export interface KeyArn {
  readonly text: string;
  readonly region: string;
  readonly account: string;
  /** Where its region's KMS answers: it follows from the ARN alone. */
  readonly host: string;
}

/** What hosts of a partition end in, and how its regions begin. */
const PARTITIONS = {
  aws: { suffix: "amazonaws.com", regions: /^(?!cn-|us-gov-)/ },
  "aws-us-gov": { suffix: "amazonaws.com", regions: /^us-gov-/ },
  "aws-cn": { suffix: "amazonaws.com.cn", regions: /^cn-/ },
} as const;

/**
 * A key by its id, or a multi-region key. An alias is refused: it can be pointed at another key without a change here.
 * Each part has an alphabet in which nothing can be written that a URL's parser would read as its own syntax.
 */
const KEY_ARN =
  /^arn:(aws|aws-us-gov|aws-cn):kms:([a-z]{2,3}(?:-[a-z]{2,12}){1,3}-[1-9]):([0-9]{12}):key\/(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/;

/** @returns null when the text is not the ARN of a KMS key. */
export function parseKeyArn(text: string): KeyArn | null {
  const [, partition, region, account] = KEY_ARN.exec(text) ?? [];
  if (partition === undefined || region === undefined || account === undefined) return null;
  const { suffix, regions } = PARTITIONS[partition as keyof typeof PARTITIONS];
  if (!regions.test(region)) return null;
  return { text, region, account, host: `kms.${region}.${suffix}` };
}
