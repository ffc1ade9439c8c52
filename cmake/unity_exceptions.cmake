# Files that cannot be compiled together with others of their target (cmake/unity.cmake says why and when).

function(akidb_alone target)  # akidb_alone(TARGET FILE …)
  if(TARGET ${target})
    set_source_files_properties(${ARGN} TARGET_DIRECTORY ${target} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

set(source ${PROJECT_SOURCE_DIR})
# telemetry_bench puts metrics that count nothing in its place.
akidb_alone(akidb_telemetry ${source}/src/telemetry/metrics.cc)
akidb_alone(model_test ${source}/src/model/metadata_test.cc)
akidb_alone(akidb_index ${source}/src/index/metadata_answer.cc)
# Each has the verbs of one dialect or one service, under the names that these have everywhere.
akidb_alone(akidb_rest ${source}/src/rest/qdrant/collection_routes.cc ${source}/src/rest/qdrant/point_codec.cc
  ${source}/src/rest/qdrant/query_codec.cc ${source}/src/rest/qdrant/query_routes.cc ${source}/src/rest/qdrant/scroll_codec.cc)
akidb_alone(akidb_rpc ${source}/src/rpc/document_service.cc ${source}/src/rpc/method_table.cc ${source}/src/rpc/search_service.cc
  ${source}/src/rpc/tier_service.cc)
akidb_alone(akidb_cli ${source}/src/cli/proof.cc ${source}/src/cli/tier_arguments.cc ${source}/src/cli/tier_verbs.cc)
akidb_alone(rest_test ${source}/src/rest/json_test.cc)
