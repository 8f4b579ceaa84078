# The batch without a window, and the farm's scheduler and workers; see docs/guide/farm.md.
#   docker build -t blendshapes .
#   docker run --rm -v "$PWD/avatars:/in:ro" -v "$PWD/out:/out" blendshapes /in --set arkit,vrchat --out /out --report /out/report.json
# All steps are in scripts/container/install.sh, which `dev.py container-test` runs in a clean Debian of the same release.
FROM debian:bookworm-slim
COPY . /opt/blendshapes
RUN /opt/blendshapes/scripts/container/install.sh
USER blendshapes
WORKDIR /home/blendshapes
ENTRYPOINT ["/opt/blendshapes/scripts/container/start.sh"]
CMD ["--help"]
