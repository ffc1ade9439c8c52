# `cpack` in the build folder makes akidb_VERSION_ARCH.deb (docs/install.md). Paths begin at the root, as a package's do.
# Packing builds nothing: build akidb first.
include_guard()
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY TRUE)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME akidb)
install(TARGETS akidb DESTINATION usr/bin)
install(FILES deploy/debian/akidb.service DESTINATION usr/lib/systemd/system)
install(FILES deploy/debian/akidb.toml DESTINATION etc/akidb)
install(FILES deploy/debian/default DESTINATION etc/default RENAME akidb)
install(FILES deploy/debian/completion.bash DESTINATION usr/share/bash-completion/completions RENAME akidb)
install(FILES README.md CHANGELOG.md openapi.yaml DESTINATION usr/share/doc/akidb)
install(FILES deploy/debian/copyright DESTINATION usr/share/doc/akidb)
install(DIRECTORY proto/akidb DESTINATION usr/share/akidb/proto FILES_MATCHING PATTERN *.proto)
install(FILES deploy/prometheus/rules/akidb.yml DESTINATION usr/share/akidb/prometheus)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME akidb)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_STRIP_FILES TRUE)
set(CPACK_COMPONENTS_ALL akidb)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The AkiDB authors <maintainers@akidb.example>")
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "vector database in one binary")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Keeps documents (an id, a vector, JSON metadata) durably and finds those whose
vectors are nearest to a given one, with filters, over REST and gRPC.")
# The libraries it is linked with, in the versions of the system that it was built on.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS TRUE)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, init-system-helpers (>= 1.54), procps")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/deploy/debian/conffiles ${PROJECT_SOURCE_DIR}/deploy/debian/postinst
  ${PROJECT_SOURCE_DIR}/deploy/debian/prerm ${PROJECT_SOURCE_DIR}/deploy/debian/postrm)
include(CPack)
