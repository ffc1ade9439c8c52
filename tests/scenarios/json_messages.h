// The JSON of REST as messages of akidb.v1, and back, by reflection: so that one text of a request is played
// over both protocols. What is shaped differently in the contract (ids, metadata, filters, parts to include,
// names of metrics and indexes) is known by its message; everything else has the same names. Test code, for
// well-formed bodies of the size of a test.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace akidb::scenarios {

/// Members in the order of the text.
using OrderedJson = nlohmann::ordered_json;

/// That a request cannot be said in protobuf: a wrong type, a misspelt name.
class NotExpressible : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The members of `json` into `message`; throws NotExpressible.
void fill(google::protobuf::Message& message, const OrderedJson& json);
/// Throws NotExpressible where there is none.
const google::protobuf::FieldDescriptor& field_of(const google::protobuf::Message& message,
                                                  const std::string& name);
/// METRIC_COSINE is "cosine": what stands before it.
std::string prefix_of(const google::protobuf::EnumDescriptor& type);
/// As REST would answer: without empty vectors and ids, and moments as the text "moment".
OrderedJson to_json(const google::protobuf::Message& message);

}  // namespace akidb::scenarios
