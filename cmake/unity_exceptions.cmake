# Files that cannot be compiled together with others of their target (cmake/unity.cmake says why and when).

function(akidb_alone target)  # akidb_alone(TARGET FILE …)
  if(TARGET ${target})
    set_source_files_properties(${ARGN} TARGET_DIRECTORY ${target} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

set_target_properties(akidb_proto PROPERTIES UNITY_BUILD OFF)
if(TARGET model_test)
  set_target_properties(model_test PROPERTIES UNITY_BUILD OFF)
endif()
set(source ${PROJECT_SOURCE_DIR})
akidb_alone(akidb_io ${source}/src/io/ownership.cc ${source}/src/io/posix_append_file.cc ${source}/src/io/posix_file_system.cc ${source}/src/io/posix_read_file.cc)
akidb_alone(akidb_settings ${source}/src/settings/toml_file.cc)
akidb_alone(akidb_index ${source}/src/index/metadata_answer.cc)
akidb_alone(akidb_storage ${source}/src/storage/log_survey.cc ${source}/src/storage/segment_salvage.cc)
akidb_alone(akidb_catalog ${source}/src/catalog/catalog.cc ${source}/src/catalog/collection_rows.cc
  ${source}/src/catalog/tier_store.cc)
akidb_alone(akidb_objects ${source}/src/objects/credentials.cc ${source}/src/objects/encrypted_store.cc ${source}/src/objects/pace.cc ${source}/src/objects/sha256.cc)
akidb_alone(akidb_backup ${source}/src/backup/collection_copy.cc ${source}/src/backup/log_piece.cc
  ${source}/src/backup/manifest.cc)
akidb_alone(backup_test ${source}/src/backup/backup_test.cc)
akidb_alone(akidb_access ${source}/src/access/proof_of_work.cc ${source}/src/access/sodium.cc)
akidb_alone(akidb_engine ${source}/src/engine/cold_index.cc ${source}/src/engine/query_documents.cc ${source}/src/engine/scroll.cc)
akidb_alone(akidb_rest ${source}/src/rest/qdrant/collection_routes.cc ${source}/src/rest/qdrant/point_codec.cc
  ${source}/src/rest/qdrant/query_codec.cc ${source}/src/rest/qdrant/query_routes.cc ${source}/src/rest/qdrant/scroll_codec.cc)
akidb_alone(akidb_rpc ${source}/src/rpc/document_service.cc ${source}/src/rpc/method_table.cc ${source}/src/rpc/search_service.cc
  ${source}/src/rpc/tier_service.cc)
akidb_alone(akidb_cli ${source}/src/cli/client_verbs.cc ${source}/src/cli/document_lines.cc ${source}/src/cli/proof.cc
  ${source}/src/cli/tier_arguments.cc ${source}/src/cli/tier_verbs.cc)
akidb_alone(akidb_server ${source}/src/server/startup_checks.cc ${source}/src/server/trace_room.cc)
akidb_alone(akidb_sim ${source}/sim/model.cc ${source}/sim/object_history.cc ${source}/sim/rot.cc ${source}/sim/simulation.cc)
akidb_alone(sim_test ${source}/sim/object_history_test.cc)
akidb_alone(index_test ${source}/src/index/calibration_test.cc ${source}/src/index/filtered_walk_test.cc
  ${source}/src/index/metadata_index_test.cc)
akidb_alone(storage_test ${source}/src/storage/manifest_test.cc ${source}/src/storage/segment_test.cc)
akidb_alone(access_test ${source}/src/access/password_test.cc ${source}/src/access/proof_of_work_test.cc)
akidb_alone(engine_test ${source}/src/engine/cold_golden_test.cc ${source}/src/engine/filter_matches_test.cc ${source}/src/engine/filtered_query_test.cc
  ${source}/src/engine/remembered_keys_test.cc ${source}/src/engine/rewrite_test.cc ${source}/src/engine/vector_storage_test.cc)
akidb_alone(rest_test ${source}/src/rest/json_test.cc)
akidb_alone(offline_test ${source}/src/offline/inspect_test.cc ${source}/src/offline/upgrade_test.cc)
akidb_alone(e2e_test ${source}/tests/e2e/overload_test.cc ${source}/tests/e2e/poisoned_log_test.cc ${source}/tests/e2e/settings_test.cc
  ${source}/tests/e2e/upgrade_test.cc ${source}/tests/e2e/vectors_test.cc)
