#include "settings/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "settings/check.h"

namespace akidb::settings {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::array<Setting, 6> kTable{{
    {.key = "name", .type = SettingType::kString, .fallback = "aki", .sentence = "A key without a section."},
    {.key = "server.host",
     .type = SettingType::kString,
     .fallback = "127.0.0.1",
     .sentence = "Where to listen."},
    {.key = "server.rest_port",
     .type = SettingType::kInteger,
     .unit = "",
     .fallback = "8080",
     .min = 1,
     .max = 65535},
    {.key = "storage.data_path", .type = SettingType::kPath, .fallback = "./data"},
    {.key = "logging.format",
     .type = SettingType::kChoice,
     .fallback = "text",
     .choices = "text|json",
     .reload = Reload::kLive},
    {.key = "auth.enabled", .type = SettingType::kBool, .fallback = "false"},
}};
constexpr std::array<Setting, 1> kSecret{
    {{.key = "auth.bootstrap_token", .type = SettingType::kString, .fallback = "", .is_secret = true}}};

Parsed parse_file(std::string text, std::span<const Setting> table = kTable) {
    return parse(table, {.file_name = "akidb.toml", .file_text = std::move(text)});
}
Parsed parse_environment(std::map<std::string, std::string> environment,
                         std::span<const Setting> table = kTable) {
    return parse(table, {.environment = std::move(environment)});
}
Parsed parse_flags(std::map<std::string, std::string> flags) {
    return parse(kTable, {.flags = std::move(flags)});
}

std::string all_of(const Parsed& parsed) {
    std::string lines;
    for (const Finding& finding : parsed.findings) {
        lines += describe(finding) + "\n";
    }
    return lines;
}

// The key's line in TOML, under its section.
std::string toml_line(std::string_view key, std::string_view value) {
    const size_t dot = key.find('.');
    if (dot == std::string_view::npos) {
        return std::string(key) + " = " + std::string(value) + "\n";
    }
    return "[" + std::string(key.substr(0, dot)) + "]\n" + std::string(key.substr(dot + 1)) + " = " +
           std::string(value) + "\n";
}

TEST(Settings, EveryKeyHasItsDefaultWhenMissing) {
    const Parsed parsed = parse(kTable, {});
    EXPECT_EQ(all_of(parsed), "");
    for (const Setting& setting : kTable) {
        EXPECT_EQ(parsed.effective.text(setting.key), setting.fallback);
        EXPECT_EQ(parsed.effective.values.find(setting.key)->second.source, "default");
    }
    EXPECT_EQ(parsed.effective.integer("server.rest_port"), 8080);
    EXPECT_FALSE(parsed.effective.boolean("auth.enabled"));
}

TEST(Settings, EveryKeyOfWrongTypeIsAFindingWithItsPlace) {
    for (const Setting& setting : kTable) {
        const bool is_text = setting.type != SettingType::kInteger && setting.type != SettingType::kBool;
        const bool has_section = setting.key.find('.') != std::string_view::npos;
        for (std::string_view wrong :
             {is_text ? "17" : "\"seventeen\"", "1.5", "[1, 2]", "{ a = 1 }", "2026-01-01"}) {
            const Parsed parsed = parse_file(toml_line(setting.key, wrong));
            ASSERT_EQ(parsed.findings.size(), 1u) << setting.key << " = " << wrong << "\n" << all_of(parsed);
            const Finding& finding = parsed.findings[0];
            EXPECT_TRUE(finding.place.starts_with(has_section ? "akidb.toml:2:" : "akidb.toml:1:"))
                << finding.place;
            if (wrong.front() != '{') {
                EXPECT_TRUE(finding.place.ends_with(":1")) << finding.place;
                EXPECT_EQ(finding.key, setting.key);
                EXPECT_THAT(finding.message, HasSubstr("must be "));
                EXPECT_EQ(finding.allowed, allowed_of(setting));
            }
            EXPECT_EQ(parsed.effective.text(setting.key), setting.fallback);
        }
    }
}

TEST(Settings, EveryKeyOutOfRangeIsAFindingFromAllThreeSources) {
    struct Case {
        std::string key;
        std::string in_toml;
        std::string as_text;
    };
    const std::string nul(1, '\0');
    for (const Case& c :
         std::vector<Case>{{"server.rest_port", "0", "0"},
                           {"server.rest_port", "65536", "65536"},
                           {"server.rest_port", "-9223372036854775808", "99999999999999999999"},
                           {"logging.format", "\"xml\"", "xml"},
                           {"logging.format", "\"\"", ""},
                           {"logging.format", "\"text|json\"", "text|json"},
                           {"auth.enabled", "\"true\"", "yes"},
                           {"name", "\"a\\u0000\"", nul},
                           {"server.host", "\"\\u0000\"", "\xff"},
                           {"storage.data_path", "\"\\u0000\"", nul}}) {
        const std::vector<Parsed> all{parse_file(toml_line(c.key, c.in_toml)),
                                      parse_environment({{variable_of(c.key), c.as_text}}),
                                      parse_flags({{c.key, c.as_text}})};
        for (const Parsed& parsed : all) {
            ASSERT_EQ(parsed.findings.size(), 1u) << c.key << " = " << c.in_toml << "\n" << all_of(parsed);
            EXPECT_EQ(parsed.findings[0].key, c.key);
            EXPECT_NE(parsed.findings[0].allowed, "");
            EXPECT_EQ(parsed.effective.values.find(c.key)->second.source, "default");
        }
    }
}

TEST(Settings, IntegersFromTextAreDigitsOnly) {
    for (const char* text : {"", " 80", "80 ", "+80", "0x50", "8e3", "8_080", "eighty"}) {
        EXPECT_EQ(parse_flags({{"server.rest_port", text}}).findings.size(), 1u) << text;
    }
}

TEST(Settings, EveryKeyMisspeltIsAFindingThatNamesTheNearest) {
    for (const Setting& setting : kTable) {
        std::string misspelt(setting.key);
        std::swap(misspelt[misspelt.size() - 2], misspelt[misspelt.size() - 1]);
        const Parsed file = parse_file(toml_line(misspelt, "1"));
        ASSERT_EQ(file.findings.size(), 1u) << misspelt;
        EXPECT_EQ(file.findings[0].nearest, setting.key);
        EXPECT_EQ(file.findings[0].key, misspelt);
        const Parsed flag = parse_flags({{misspelt, "1"}});
        ASSERT_EQ(flag.findings.size(), 1u) << misspelt;
        EXPECT_EQ(flag.findings[0].nearest, setting.key);
        const Parsed variable = parse_environment({{variable_of(misspelt), "1"}});
        ASSERT_EQ(variable.findings.size(), 1u) << misspelt;
        EXPECT_EQ(variable.findings[0].nearest, variable_of(setting.key));
    }
}

TEST(Settings, LaterSourcesWin) {
    Inputs inputs{.file_name = "akidb.toml", .file_text = "[server]\nrest_port = 1111\nhost = 'a'\n"};
    EXPECT_EQ(parse(kTable, inputs).effective.values.find("server.rest_port")->second.source, "akidb.toml:2");
    inputs.environment = {{"AKIDB_SERVER_REST_PORT", "2222"}, {"HOME", "/root"}, {"AKIDB_SIMD", "scalar"}};
    EXPECT_EQ(parse(kTable, inputs).effective.integer("server.rest_port"), 2222);
    inputs.flags = {{"server.rest_port", "3333"}};
    const Parsed parsed = parse(kTable, inputs);
    EXPECT_EQ(all_of(parsed), "");
    EXPECT_EQ(parsed.effective.integer("server.rest_port"), 3333);
    EXPECT_EQ(parsed.effective.values.find("server.rest_port")->second.source, "flag");
    EXPECT_EQ(parsed.effective.text("server.host"), "a");
}

TEST(Settings, ShowsAllFaultsOfAFileInOneRun) {
    const Parsed parsed = parse(kTable, {.file_name = "akidb.toml",
                                         .file_text = "name == 1\n"
                                                      "[server]\n"
                                                      "host = \"unfinished\n"
                                                      "rest_port = 0\n"
                                                      "rest_port = 7\n"
                                                      "[logging]\n"
                                                      "  format = \"xml\"\n"
                                                      "[server]\n"
                                                      "hots = \"b\"\n"
                                                      "[auth]\n"
                                                      "enabled = 1\n",
                                         .environment = {{"AKIDB_AUTH_ENABLED", "1"}, {"AKIDB_NAEM", "x"}},
                                         .flags = {{"server.hosts", "x"}}});
    const std::string lines = all_of(parsed);
    for (const char* place :
         {"akidb.toml:1:", "akidb.toml:3:", "akidb.toml:4:1: server.rest_port = 0 is out of range",
          "akidb.toml:5:", "akidb.toml:7:3: logging.format = \"xml\"",
          "akidb.toml:8:", "akidb.toml:11:1: auth.enabled = 1 must be true or false",
          "environment AKIDB_AUTH_ENABLED", "did you mean AKIDB_NAME?",
          "flag --server.hosts: server.hosts is not a flag; did you mean server.host?"}) {
        EXPECT_THAT(lines, HasSubstr(place));
    }
    EXPECT_THAT(lines, HasSubstr("given twice"));
    EXPECT_THAT(lines, Not(HasSubstr("hots"))) << "keys of a faulty section belong to no other";
    EXPECT_EQ(parsed.findings.size(), 10u) << lines;
}

TEST(Settings, TellsSectionsFromValues) {
    EXPECT_THAT(all_of(parse_file("server = 5\n")), HasSubstr("is a section"));
    EXPECT_THAT(all_of(parse_file("[[server]]\nhost = 'a'\n")), HasSubstr("is a section"));
    EXPECT_EQ(all_of(parse_file("[server]\n")), "");
    EXPECT_THAT(all_of(parse_file("[sevrer]\n")), HasSubstr("sevrer is not a setting"));
    EXPECT_EQ(all_of(parse_file("server.host = 'a'\n")), "");
    EXPECT_EQ(parse_file("\"server.host\" = 'a'\n").findings.size(), 1u)
        << "a quoted dot is part of the name";
}

TEST(Settings, BoundsWhatAHostileFileCosts) {
    EXPECT_EQ(parse_file(std::string(300'000, '#')).findings.size(), 1u);
    std::string dots = "a";
    for (int i = 0; i < 100'000; ++i) {
        dots += ".a";
    }
    EXPECT_THAT(all_of(parse_file(dots + " = 1\n")), HasSubstr("dots"));
    EXPECT_GE(parse_file("name = " + std::string(10'000, '[')).findings.size(), 1u);
    std::string unknown;
    std::string broken;
    for (int i = 0; i < 5000; ++i) {
        unknown += "key" + std::to_string(i) + " = 1\n";
        broken += "= 1\n";
    }
    EXPECT_EQ(parse_file(unknown).findings.size(), 101u);
    EXPECT_EQ(parse_file(broken).findings.size(), 20u);
    EXPECT_GE(parse_file("\xff\xfe = 1\n").findings.size(), 1u);
    EXPECT_GE(parse_file(std::string("name = 'a'\0b\n", 13)).findings.size(), 1u);
}

TEST(Settings, NeverShowsASecret) {
    const char* const secret = "hunter2";
    const std::string as_toml = std::string("[auth]\nbootstrap_token = ");
    std::vector<Parsed> all{parse_file(as_toml + "\"hunter2\"\n", kSecret),
                            parse_file(as_toml + "hunter2\n", kSecret),
                            parse_file(as_toml + "thunter2\n", kSecret),
                            parse_file(as_toml + "[\"hunter2\"]\n", kSecret),
                            parse_file("[auth]\nbootstrap_tokne = \"hunter2\"\n", kSecret),
                            parse_environment({{"AKIDB_AUTH_BOOTSTRAP_TOKEN", "hunter2\xff"}}, kSecret),
                            parse_environment({{"AKIDB_AUTH_BOOTSTRAP_TOKEM", secret}}, kSecret)};
    for (const Parsed& parsed : all) {
        EXPECT_THAT(all_of(parsed), Not(HasSubstr("unter2")));
        EXPECT_THAT(findings_as_json(parsed.findings), Not(HasSubstr("unter2")));
        EXPECT_THAT(print_effective(kSecret, parsed.effective), Not(HasSubstr("unter2")));
    }
    EXPECT_EQ(all[0].effective.text("auth.bootstrap_token"), secret);
    EXPECT_THAT(print_effective(kSecret, all[0].effective), HasSubstr("bootstrap_token = \"***\"\n"));
    EXPECT_THAT(print_effective(kSecret, all[1].effective), HasSubstr("bootstrap_token = \"\"\n"));
}

TEST(PrintEffective, ParsesBackToTheSameValues) {
    const std::string weird = "a\"b\\c\n\t\x1b\xc2\x9b ü🙂'''\"\"\"#";
    const Parsed first =
        parse(kTable, {.environment = {{"AKIDB_NAME", weird}, {"AKIDB_SERVER_REST_PORT", "0080"}},
                       .flags = {{"auth.enabled", "true"}, {"storage.data_path", "/d\r\nx"}}});
    ASSERT_EQ(all_of(first), "");
    const std::string printed = print_effective(kTable, first.effective);
    const Parsed second = parse_file(printed);
    EXPECT_EQ(all_of(second), "") << printed;
    for (const Setting& setting : kTable) {
        EXPECT_EQ(second.effective.text(setting.key), first.effective.text(setting.key)) << printed;
    }
    EXPECT_EQ(first.effective.text("name"), weird);
    EXPECT_THAT(printed, HasSubstr("# environment\nrest_port = 80\n"));
}

TEST(PrintEffective, KeepsAFileNameInsideItsComment) {
    const Parsed parsed =
        parse(kTable, {.file_name = "a\nname = 'evil'", .file_text = "[server]\nhost = 'x'\n"});
    EXPECT_EQ(parse_file(print_effective(kTable, parsed.effective)).effective.text("name"), "aki");
}

TEST(FindingsAsJson, EscapesWhatItQuotes) {
    EXPECT_EQ(findings_as_json({}), "[]\n");
    EXPECT_EQ(findings_as_json({{"a\"b\nc", "k\\", "\xff", "m", "1..2", ""}}),
              "[{\"place\":\"a\\\"b\\nc\",\"key\":\"k\\\\\",\"given\":\"\xef\xbf\xbd\",\"message\":\"m\","
              "\"allowed\":\"1..2\",\"nearest\":\"\"}]\n");
}

TEST(GenerateMarkdown, HasARowPerSetting) {
    const std::string page = generate_markdown(kTable);
    EXPECT_THAT(page, HasSubstr("\n## [server]\n"));
    EXPECT_THAT(page,
                HasSubstr("| `server.rest_port` | `8080` | 1..65535 | restart | `AKIDB_SERVER_REST_PORT` |"));
    EXPECT_THAT(page, HasSubstr("| text\\|json | live |"));
}

TEST(VariableOf, IsUpperCaseWithUnderscores) {
    EXPECT_EQ(variable_of("server.rest_port"), "AKIDB_SERVER_REST_PORT");
}

TEST(Settings, ADefaultThatItsOwnRowRefusesIsAFinding) {
    constexpr std::array<Setting, 1> kWrong{
        {{.key = "a.b", .type = SettingType::kInteger, .fallback = "7", .min = 8, .max = 9}}};
    EXPECT_THAT(all_of(parse(kWrong, {})), HasSubstr("default: a.b = \"7\" is out of range; allowed: 8..9"));
}

}  // namespace
}  // namespace akidb::settings
