# Builds the workbench; running the image runs the main job:
#   docker build -t workbench . && docker run --rm -v "$PWD/out:/out" workbench --conv dilated --output /out
FROM swift:6.3-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends libfftw3-dev libpng-dev pkg-config && rm -rf /var/lib/apt/lists/*
WORKDIR /workbench
COPY . .
# avx2 runs on any current x86-64 server. avx512 is faster where there is one; portable runs everywhere.
ARG WORKBENCH_SIMD=
RUN if [ "$(uname -m)" = x86_64 ]; then default=avx2; else default=portable; fi && \
    WORKBENCH_SIMD=${WORKBENCH_SIMD:-$default} swift build --product experiment

FROM swift:6.3-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libfftw3-single3 libpng16-16 gnuplot-nox && rm -rf /var/lib/apt/lists/*
COPY --from=build /workbench/.build/debug/experiment /usr/local/lib/workbench/
COPY --from=build /workbench/.build/debug/convolution-workbench_Learning.resources /usr/local/lib/workbench/convolution-workbench_Learning.resources
RUN ln -s /usr/local/lib/workbench/experiment /usr/local/bin/experiment
WORKDIR /out
ENTRYPOINT ["experiment"]
CMD ["--conv", "dilated", "--output", "/out"]
