# The floors of the house. A layer may depend on, and include from, strictly lower floors only, and only what it
# declares in DEPENDS. Two checks hold it: configuring stops when a declared dependency is not on a lower floor, and a
# stamp per layer reads the includes of the layer's own files before they compile, because headers alone slip past
# CMake's link edges.
set(FLOOR_base 0)
set(FLOOR_model 1)
set(FLOOR_io 1)
set(FLOOR_simd 1)
set(FLOOR_telemetry 1)
set(FLOOR_settings 1)
set(FLOOR_index 2)
set(FLOOR_storage 2)
set(FLOOR_catalog 2)
set(FLOOR_objects 2)
set(FLOOR_tracing 2)
set(FLOOR_access 3)
set(FLOOR_engine 3)
set(FLOOR_backup 3)
set(FLOOR_service 4)
set(FLOOR_rest 5)
set(FLOOR_rpc 5)
set(FLOOR_server 7)
set(FLOOR_cli 6)
set(FLOOR_offline 6)
set(FLOOR_sim 6)

# akidb_layer(NAME SOURCES a.cc … [DEPENDS layer …] [LIBRARIES external …] [TESTS a_test.cc …] [TEST_DEPENDS layer …]
#             [THREADED_TESTS filter | none])
# makes the static library akidb_NAME and, when TESTS are given, the test program NAME_test that links this layer alone.
# ThreadSanitizer sees nothing in what one thread does, at ten times the price: its build runs only the tests that pass the
# filter (GoogleTest's), or none. AKIDB_TEST_SHARE is what tests that draw many cases divide their number by: a sanitizer
# takes ten times as long for each, and finds what it finds in the first ones.
set(AKIDB_TEST_SHARE 1)
if(AKIDB_SANITIZE)
  set(AKIDB_TEST_SHARE 10)
endif()
function(akidb_layer name)
  cmake_parse_arguments(A "" "THREADED_TESTS" "SOURCES;DEPENDS;LIBRARIES;TESTS;TEST_DEPENDS" ${ARGN})
  if(NOT DEFINED FLOOR_${name})
    message(FATAL_ERROR "layer '${name}' has no floor: add it to cmake/floors.cmake and ARCHITECTURE.md")
  endif()
  foreach(dep ${A_DEPENDS})
    if(NOT FLOOR_${dep} LESS FLOOR_${name})
      message(FATAL_ERROR
        "layer '${name}' (floor ${FLOOR_${name}}) may not depend on '${dep}' (floor ${FLOOR_${dep}})")
    endif()
  endforeach()
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(JOIN A_DEPENDS "," allowed)
  list(JOIN A_TEST_DEPENDS "," allowed_in_tests)
  list(JOIN files "," joined)
  set(stamp ${CMAKE_CURRENT_BINARY_DIR}/${name}.includes_ok)
  add_custom_command(OUTPUT ${stamp}
    COMMAND ${CMAKE_COMMAND} -DLAYER=${name} "-DALLOWED=${name},${allowed}" "-DALLOWED_IN_TESTS=${allowed_in_tests}"
            "-DFILES=${joined}" -P ${PROJECT_SOURCE_DIR}/cmake/check_includes.cmake
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/check_includes.cmake VERBATIM)
  add_custom_target(${name}_includes DEPENDS ${stamp})
  add_library(akidb_${name} STATIC ${A_SOURCES})
  set_target_properties(akidb_${name} PROPERTIES LINKER_LANGUAGE CXX)
  add_dependencies(akidb_${name} ${name}_includes)
  target_include_directories(akidb_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM A_DEPENDS PREPEND akidb_)
  list(TRANSFORM A_TEST_DEPENDS PREPEND akidb_)
  target_link_libraries(akidb_${name} PUBLIC ${A_DEPENDS} PRIVATE akidb_warnings ${A_LIBRARIES})
  set(filter "")
  if(AKIDB_SANITIZE STREQUAL "thread")
    if(A_THREADED_TESTS STREQUAL "none")
      return()
    elseif(A_THREADED_TESTS)
      set(filter --gtest_filter=${A_THREADED_TESTS})
    endif()
  endif()
  if(A_TESTS AND AKIDB_TESTS)
    add_executable(${name}_test ${A_TESTS})
    akidb_test_program(${name}_test)
    target_compile_definitions(${name}_test PRIVATE AKIDB_TEST_SHARE=${AKIDB_TEST_SHARE})
    target_link_libraries(${name}_test PRIVATE akidb_${name} ${A_TEST_DEPENDS} ${A_LIBRARIES} akidb_warnings
                          GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test ${filter})
    set_tests_properties(${name} PROPERTIES TIMEOUT 900)
  endif()
endfunction()
