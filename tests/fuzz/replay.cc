// Plays a fuzz target without a fuzzer: each seed of its corpus, and of each some hundred changes that follow
// from a fixed number, so that every build of every compiler presses on the readers a little. Prints how many
// inputs there were.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kChangesPerSeed = 400;

void play(const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

/// A few bytes changed, taken out, doubled, or taken from another seed.
std::string changed(std::string input, const std::string& other, std::mt19937_64& random) {
    for (uint64_t steps = random() % 4 + 1; steps > 0 && !input.empty(); --steps) {
        const size_t at = random() % input.size();
        const size_t count = std::min<size_t>(random() % 16 + 1, input.size() - at);
        switch (random() % 6) {
            case 0:
                input[at] = static_cast<char>(random());
                break;
            case 1:
                input[at] = static_cast<char>(input[at] ^ (1 << (random() % 8)));
                break;
            case 2:
                input.erase(at, count);
                break;
            case 3:
                input.insert(at, input.substr(at, count));
                break;
            case 4:
                input.resize(at);
                break;
            default:
                input.insert(at, other.substr(std::min(other.size(), at), count * 4));
        }
    }
    return input;
}

}  // namespace

int main(int count, char** words) {
    std::vector<std::string> seeds;
    for (int i = 1; i < count; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(words[i])) {
            std::ifstream file(entry.path(), std::ios::binary);
            seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
        }
    }
    std::sort(seeds.begin(), seeds.end());
    std::mt19937_64 random(1);
    uint64_t played = 0;
    for (const std::string& seed : seeds) {
        play(seed);
        for (int i = 0; i < kChangesPerSeed; ++i) {
            play(changed(seed, seeds[random() % seeds.size()], random));
        }
        played += 1 + kChangesPerSeed;
    }
    std::printf("%llu inputs from %zu seeds\n", static_cast<unsigned long long>(played), seeds.size());
    return seeds.empty() ? 1 : 0;
}
