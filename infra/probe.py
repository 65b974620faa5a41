"""Whether the service of this container is ready: `python -m infra.probe`, the health check of an image."""

import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libs.rpc import READY

TIMEOUT_S = 3.0


def is_ready(address: str) -> bool:
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service=READY)
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT_S)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    sys.exit(0 if is_ready(f"127.0.0.1:{os.environ['SPACECOM_RPC_PORT']}") else 1)
