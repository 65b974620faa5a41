"""The calls of PropagationService that explain and compare: translate, call, translate."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from libs import rpc
from libs.astro.time import datetime_to_jd
from libs.astro.version import model_version
from libs.compared import Field
from services.propagation import codec, comparing, compute, domain, explaining, queries
from services.propagation.comparing import Comparison
from services.propagation.compute import Flown, Refusal
from services.propagation.domain import Epoch
from services.propagation.rpc_tracks import Recorded, TracksServicer, entitled, event_id_of, newest_row
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_VIEWER
from spacecom.propagation.v1 import propagation_events_pb2 as pb
from spacecom.propagation.v1 import propagation_service_pb2 as wire

_CAUSE = {cause: wire.ShiftCause.Value(f"SHIFT_CAUSE_{cause.name}") for cause in explaining.Cause}
MINUTE = timedelta(minutes=1)


class ExplainingServicer(TracksServicer):
    async def Explain(self, request: wire.ExplainRequest, context: object) -> wire.ExplainResponse:
        rpc.require(ROLE_VIEWER)
        found = await self._named(request.event_id)
        if isinstance(found, pb.PredictionDeclined):
            return await self._refusal(found)
        entitled(found.decay.catalogue_number)
        flown = await self.computed(compute.compute, found.job)
        answer = await _compared(explaining.fields(found.decay, flown))
        answer.prediction.CopyFrom(shown(found.row))
        answer.fit.CopyFrom(_fit(flown.fitted))
        before = await self._before(found)
        if before is not None:
            answer.previous_event_id = str(before.row.event_id)
            answer.shifts.extend(map(_shift, await self._shifts(before, found, flown)))
        return answer

    async def _refusal(self, message: pb.PredictionDeclined) -> wire.ExplainResponse:
        declined = codec.declined_from_wire(message)
        entitled(declined.catalogue_number)
        if declined.inputs is None:
            raise rpc.FailedPrecondition(
                f"nothing was computed that could be again; it was declined: {declined.detail}"
            )
        async with self._desk.pool.acquire() as conn:
            job = await self.job(conn, declined.known_at, declined.inputs)
        found = await self._desk.workers.run(compute.compute, job)
        answer = await _compared(explaining.fields_of_refusal(declined, found))
        answer.declined.CopyFrom(message)
        return answer

    async def _named(self, event_id: str) -> Recorded | pb.PredictionDeclined:
        named = event_id_of(event_id)
        async with self._desk.pool.acquire() as conn:
            row = await queries.prediction(conn, named)
            if row is not None:
                return await self.with_job(conn, row)
        fact = await self._desk.log.fact(named)
        message = fact.message() if fact else None
        if not isinstance(message, pb.PredictionDeclined):
            raise domain.NoPrediction(f"{event_id[:60]} is no prediction of this service; list those of the object")
        return message

    async def _before(self, found: Recorded) -> Recorded | None:
        async with self._desk.pool.acquire() as conn:
            rows = await queries.predictions_before(conn, found.decay.catalogue_number, found.row.position, 1)
            return await self.with_job(conn, rows[0]) if rows else None

    async def _shifts(self, before: Recorded, found: Recorded, flown: Flown) -> list[explaining.Shift]:
        """None when the inputs between the two predict nothing."""
        between = explaining.between(before.job, found.job)
        first = await self._desk.workers.run(compute.compute, before.job)
        weathered = await self._desk.workers.run(compute.compute, between)
        if isinstance(first, Refusal) or isinstance(weathered, Refusal):
            return []
        return explaining.shifts((before.decay, found.decay), (first, weathered, flown))

    async def CompareWithOthers(
        self, request: wire.CompareWithOthersRequest, context: object
    ) -> wire.CompareWithOthersResponse:
        rpc.require(ROLE_VIEWER)
        entitled(request.catalogue_number)
        async with self._desk.pool.acquire() as conn:
            row = await newest_row(conn, request.catalogue_number)
            others = await queries.others(conn, request.catalogue_number, rpc.rights())
        ours = codec.decay(row.body)
        compared = [_comparison(comparing.compare(ours, other)) for other in others]
        return wire.CompareWithOthersResponse(prediction=shown(row), others=compared)


async def _compared(fields: Sequence[Field]) -> wire.ExplainResponse:
    return wire.ExplainResponse(
        fields=[
            wire.RecomputedField(
                field=one.name, recorded=one.recorded, recomputed=one.recomputed, identical=one.identical
            )
            for one in fields
        ],
        identical=all(one.identical for one in fields),
        model_version=await asyncio.to_thread(model_version),
    )


def shown(row: queries.PredictionRow) -> wire.Prediction:
    prediction = wire.Prediction(event_id=str(row.event_id), decay=pb.DecayPredicted.FromString(row.body))
    prediction.recorded_at.FromDatetime(row.recorded_at)
    return prediction


def _fit(fitted: compute.Fitted) -> wire.FitDiagnostics:
    return wire.FitDiagnostics(
        sets_used=fitted.sets_used,
        sets_known=fitted.sets_known,
        rms=fitted.rms,
        covariance=fitted.covariance,
        b_history=[
            wire.BallisticCoefficient(epoch=codec.epoch_to_wire(one.epoch), b_m2_kg=one.b, sigma_m2_kg=one.sigma_b)
            for one in fitted.b_history
        ],
    )


def _shift(shift: explaining.Shift) -> wire.Shift:
    median, start, end = (one / MINUTE for one in shift.by)
    return wire.Shift(
        cause=_CAUSE[shift.cause],
        median_min=median,
        start_min=start,
        end_min=end,
        event_ids=map(str, shift.event_ids),
    )


def _comparison(compared: Comparison) -> wire.Comparison:
    other = compared.other
    return wire.Comparison(
        event_id=str(other.event_id),
        source=other.source,
        nominal_epoch=_epoch(other.nominal),
        window_start=_epoch(other.window[0]),
        window_end=_epoch(other.window[1]),
        reentry_altitude_km=other.reentry_altitude_km,
        difference_min=compared.difference / MINUTE,
        our_probability=compared.our_probability,
        agreement=codec.AGREEMENT[compared.agreement],
    )


def _epoch(instant: datetime) -> pb.Epoch:
    return codec.epoch_to_wire(Epoch(*datetime_to_jd(instant)))
