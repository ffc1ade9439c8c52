# Several files compiled as one: most of a compilation is the same headers and the same templates again. The sanitizers'
# builds (presets debug and tsan) compile each target as one file, for less than half of the work. The release build takes
# four files at a time of test programs, on which it also spends little to make fast what runs once, and of the layers
# that a search only passes through. Those that it spends its time in are compiled file by file: nothing but their own
# source decides how fast they are.
#
# File-private names may be the same in two files of one target; these files are compiled by themselves. An error
# "redefinition of" or "ambiguous" in a file Unity/unity_0_cxx.cxx wants one more line in cmake/unity_exceptions.cmake.
set(AKIDB_FILE_BY_FILE base model io simd telemetry settings index storage engine)

function(akidb_by_four target)
  if(NOT CMAKE_UNITY_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 4)
  endif()
endfunction()

function(akidb_test_program target)  # akidb_test_program(TARGET)
  akidb_by_four(${target})
  if(NOT AKIDB_SANITIZE)
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()
