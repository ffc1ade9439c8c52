#include "objects/xml.h"

#include <gtest/gtest.h>

namespace akidb::objects {
namespace {

TEST(Xml, ReadsWhatS3Answers) {
    const auto root = parse_xml(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x --><ListBucketResult xmlns=\"http://s3/\">"
        "<IsTruncated>true</IsTruncated><Contents><Key>a&amp;b&#x2F;&#233;</Key><Size>5</Size></Contents>"
        "<Contents><Key>c</Key></Contents><Empty/></ListBucketResult>\n");
    ASSERT_TRUE(root) << root.error().message();
    EXPECT_EQ(root->name, "ListBucketResult");
    EXPECT_EQ(root->text_of("IsTruncated"), "true");
    EXPECT_EQ(root->find("Contents")->text_of("Key"), "a&b/\xc3\xa9");
    EXPECT_EQ(root->text_of("Empty"), "");
    EXPECT_EQ(root->find("Nothing"), nullptr);
    EXPECT_EQ(xml_escaped("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&apos;");
}

TEST(Xml, RefusesWhatIsNone) {
    const std::string deep = [] {
        std::string text;
        for (int i = 0; i < 17; ++i) {
            text += "<a>";
        }
        return text;
    }();
    for (const std::string& text :
         {std::string(), std::string("text"), std::string("<a>"), std::string("<a></b>"),
          std::string("<a/><b/>"), std::string("<a>&bad;</a>"), std::string("<a>&#0;</a>"),
          std::string("<a>&amp</a>"), std::string("<!DOCTYPE a><a/>"), std::string("< >"), std::string("<a"),
          deep}) {
        EXPECT_FALSE(parse_xml(text)) << text;
    }
}

}  // namespace
}  // namespace akidb::objects
