#include "objects/s3_reply.h"

#include <algorithm>
#include <array>

#include "base/printable.h"
#include "objects/xml.h"

namespace akidb::objects {
namespace {

struct CodeMeaning {
    std::string_view code;
    Code meaning;
    std::string_view advice;
};

// "Error responses" of the Amazon S3 API reference, and those that Ceph's gateway adds. What is not here goes
// by the status.
constexpr std::array kMeanings{
    CodeMeaning{"NoSuchKey", Code::kNotFound, ""},
    CodeMeaning{"NoSuchUpload", Code::kUnavailable, "the upload was ended by somebody else"},
    CodeMeaning{"NoSuchBucket", Code::kInvalidArgument, "there is no such bucket"},
    CodeMeaning{"InvalidBucketName", Code::kInvalidArgument, "there can be no such bucket"},
    CodeMeaning{"PreconditionFailed", Code::kAlreadyExists, "the object is there"},
    CodeMeaning{"ConditionalRequestConflict", Code::kUnavailable, "two writers met"},
    CodeMeaning{"OperationAborted", Code::kUnavailable, "two writers met"},
    CodeMeaning{"RequestTimeTooSkewed", Code::kPermissionDenied,
                "the clocks of this machine and of the S3 server are too far apart"},
    CodeMeaning{"SignatureDoesNotMatch", Code::kPermissionDenied, "the secret key is wrong"},
    CodeMeaning{"InvalidAccessKeyId", Code::kPermissionDenied, "the access key is unknown"},
    CodeMeaning{"ExpiredToken", Code::kPermissionDenied, "the session token has expired"},
    CodeMeaning{"AccessDenied", Code::kPermissionDenied, "the credentials do not allow this"},
    CodeMeaning{"SlowDown", Code::kRateLimited, ""},
    CodeMeaning{"TooManyRequests", Code::kRateLimited, ""},
    CodeMeaning{"BadDigest", Code::kUnavailable, "the bytes changed on their way"},
    CodeMeaning{"InvalidDigest", Code::kUnavailable, "the bytes changed on their way"},
    CodeMeaning{"XAmzContentSHA256Mismatch", Code::kUnavailable, "the bytes changed on their way"},
    CodeMeaning{"IncompleteBody", Code::kUnavailable, "the bytes did not all arrive"},
    CodeMeaning{"RequestTimeout", Code::kUnavailable, ""},
    CodeMeaning{"InvalidRange", Code::kDataLoss, "the object ends before what was asked of it"},
    CodeMeaning{"QuotaExceeded", Code::kDiskFull, ""},
    CodeMeaning{"NotImplemented", Code::kUnimplemented, ""},
};

Code code_of(int status) {
    switch (status) {
        case 404:
            return Code::kNotFound;
        case 401:
        case 403:
            return Code::kPermissionDenied;
        case 408:
            return Code::kUnavailable;
        case 409:
            return Code::kUnavailable;
        case 412:
            return Code::kAlreadyExists;
        case 416:
            return Code::kDataLoss;
        case 429:
            return Code::kRateLimited;
        case 507:
            return Code::kDiskFull;
        default:
            return status >= 500 ? Code::kUnavailable : Code::kInvalidArgument;
    }
}

std::string text_of(const io::HttpReply& reply) {
    std::string text = "HTTP " + std::to_string(reply.status);
    if (const std::string_view id = header_of(reply, "x-amz-request-id"); !id.empty()) {
        text += ", request " + printable(id);
    }
    return text;
}

}  // namespace

std::string_view header_of(const io::HttpReply& reply, std::string_view name) {
    const auto found = std::find_if(reply.headers.begin(), reply.headers.end(),
                                    [&](const auto& header) { return header.first == name; });
    return found == reply.headers.end() ? std::string_view() : std::string_view(found->second);
}

Result<void> check_s3_reply(const io::HttpReply& reply, const std::string& what, ReplyBody kind) {
    const bool is_success = reply.status == 200 || reply.status == 204 || reply.status == 206;
    const bool tells_error = kind == ReplyBody::kWords && reply.body.find("<Error>") != std::string::npos;
    if (is_success && !tells_error) {
        return {};
    }
    std::string message = what + ": " + text_of(reply);
    if (reply.status >= 300 && reply.status < 400) {
        return invalid_argument("endpoint",
                                message +
                                    ": the bucket is served elsewhere, and redirects are not "
                                    "followed",
                                "the endpoint and region of the bucket");
    }
    const Result<XmlElement> body = parse_xml(reply.body);
    if (!body || body->name != "Error") {
        return Error(is_success ? Code::kUnavailable : code_of(reply.status), message);
    }
    const std::string_view code = body->text_of("Code");
    const auto* known = std::find_if(kMeanings.begin(), kMeanings.end(),
                                     [&](const CodeMeaning& row) { return row.code == code; });
    message += ", " + printable(code);
    if (known != kMeanings.end() && !known->advice.empty()) {
        message += ": " + std::string(known->advice);
    } else if (const std::string_view said = body->text_of("Message"); !said.empty()) {
        message += ": " + printable(said);
    }
    if (known != kMeanings.end()) {
        return Error(known->meaning, message);
    }
    return Error(is_success ? Code::kUnavailable : code_of(reply.status), message);
}

}  // namespace akidb::objects
