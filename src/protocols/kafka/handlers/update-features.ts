import { type UpdateFeaturesRequest, updateFeatures } from '../codec/apis/update-features.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorText } from '../errors.ts';
import { FEATURES } from '../features.ts';
import { handler } from '../handler.ts';
import { DONE, type Outcome } from './admin/refusal.ts';

/** The levels of features are those of this version of the broker, and cannot be others: what asks for them as they are is done. */
export const updateFeaturesHandler = handler(updateFeatures, ({ featureUpdates }) => {
  const outcomes = featureUpdates.map((update) => ({ feature: update.feature, ...outcome(update) }));
  const { errorCode, errorMessage } = outcomes.find((each) => each.errorCode !== KafkaError.NONE) ?? DONE;
  return { errorCode, errorMessage, results: errorCode === KafkaError.NONE ? outcomes : [] };
});

function outcome({ feature, maxVersionLevel: level }: UpdateFeaturesRequest['featureUpdates'][number]): Outcome {
  const known = FEATURES.find(({ name }) => name === feature);
  if (known?.level === level) return DONE;
  const errorMessage =
    known === undefined
      ? `Invalid update version ${level} for feature ${feature}. This broker does not support this feature.`
      : `Invalid update version ${level} for feature ${feature}. This broker supports level ${known.level} only.`;
  return { errorCode: KafkaError.INVALID_UPDATE_VERSION, errorMessage: errorText(errorMessage) };
}
