import { CLUSTER_OPERATIONS } from '../authorized-operations.ts';
import { type DescribeClusterResponse, describeCluster } from '../codec/apis/describe-cluster.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';

const BROKER = 1;
const CONTROLLER = 2;

/** The brokers of the cluster: this one, which is its controller too. */
export const describeClusterHandler = handler(describeCluster, (request, { broker, endpoint }) => {
  const { endpointType, includeClusterAuthorizedOperations } = request;
  if (endpointType === CONTROLLER) {
    return failed(
      KafkaError.MISMATCHED_ENDPOINT_TYPE,
      'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
    );
  }
  if (endpointType !== BROKER)
    return failed(KafkaError.UNSUPPORTED_ENDPOINT_TYPE, `Unsupported endpoint type ${endpointType}`);
  const { nodeId } = broker.settings;
  return {
    errorCode: KafkaError.NONE,
    clusterId: broker.clusterId,
    controllerId: nodeId,
    brokers: [{ brokerId: nodeId, ...endpoint }],
    ...(includeClusterAuthorizedOperations && { clusterAuthorizedOperations: CLUSTER_OPERATIONS }),
  };
});

function failed(errorCode: number, errorMessage: string): DescribeClusterResponse {
  return { errorCode, errorMessage, clusterId: '', brokers: [] };
}
