# fanbeam as one image: the workers of Dataflow, and the launcher of the Flex Template. See docs/engines/dataflow.md.
#
#   docker build --build-arg IMAGE=REGISTRY/fanbeam:TAG --tag REGISTRY/fanbeam:TAG .
#
# IMAGE is the name that the image gets: the launcher gives it to the workers. EXTRAS are those of the recipes in use.
ARG PYTHON=3.11-slim-bookworm
ARG BEAM=2.77.0
ARG LAUNCHER=20230622_RC00

FROM apache/beam_python3.11_sdk:${BEAM} AS beam

FROM gcr.io/dataflow-templates-base/python311-template-launcher-base:${LAUNCHER} AS launcher

FROM python:${PYTHON} AS build
ARG EXTRAS=dataflow,gcs
WORKDIR /source
RUN python -m venv /opt/fanbeam
ENV PATH=/opt/fanbeam/bin:$PATH
COPY LICENSE README.md constraints.txt fanbeam.py pyproject.toml setup.py ./
COPY pipeline pipeline
COPY transforms transforms
RUN pip install --no-cache-dir --constraint constraints.txt ".[${EXTRAS}]" && pip check

FROM python:${PYTHON}
ARG IMAGE=
COPY --from=beam /opt/apache/beam /opt/apache/beam
COPY --from=launcher /opt/google/dataflow/python_template_launcher /opt/google/dataflow/python_template_launcher
COPY --from=build /opt/fanbeam /opt/fanbeam
COPY scripts/engines/flex_template/main.py /template/main.py
# Else Beam's boot program makes an environment of its own, without fanbeam.
ENV PATH=/opt/fanbeam/bin:$PATH \
    RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1 \
    FLEX_TEMPLATE_PYTHON_PY_FILE=/template/main.py \
    FANBEAM_IMAGE=$IMAGE
WORKDIR /template
RUN fanbeam transforms albumentations.HorizontalFlip
# Root: Dataflow mounts folders that only root may write, for the boot program and for the launcher's log.
ENTRYPOINT ["/opt/apache/beam/boot"]
