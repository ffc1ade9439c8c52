# Several files compiled as one: most of a compilation is the same headers and the same templates again. Each target is one
# file, for less than half of the work; only the layers that a search spends its time in are compiled file by file in the
# release build: nothing but their own source decides how fast they are. On test programs it also spends little to make
# fast what runs once. Who works on one layer sets AKIDB_BATCH to 4: more work from nothing, less after each change.
#
# File-private names may be the same in two files of one target; these files are compiled by themselves. An error
# "redefinition of" or "ambiguous" in a file Unity/unity_0_cxx.cxx wants one more line in cmake/unity_exceptions.cmake.
set(AKIDB_FILE_BY_FILE simd index)
set(AKIDB_BATCH 0 CACHE STRING "how many files of a target are compiled as one; 0: all")

function(akidb_as_one target)
  if(NOT CMAKE_UNITY_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${AKIDB_BATCH})
  endif()
endfunction()

function(akidb_test_program target)  # akidb_test_program(TARGET)
  akidb_as_one(${target})
  if(NOT AKIDB_SANITIZE)
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()
