// The server's side of a proof of work, for a solver from elsewhere to work with: prints a challenge, reads
// the payload from standard input, and exits with 0 when it is accepted once and refused the second time.
#include <cstdio>
#include <iostream>
#include <string>

#include "access/proof_of_work.h"

int main() {
    const auto clock = akidb::io::make_system_clock();
    const auto random = akidb::io::make_system_random();
    akidb::access::ProofOfWork proofs(*clock, *random);
    const akidb::access::ProofPurpose purpose{
        .route = "login", .account = "acme/ada@example.com", .source = "192.0.2.1"};
    std::puts(proofs.make_challenge(purpose).c_str());
    std::fflush(stdout);
    std::string payload;
    std::getline(std::cin, payload);
    const akidb::Result<void> first = proofs.accept(payload, purpose);
    if (!first) {
        std::fprintf(stderr, "refused: %s\n", first.error().message().c_str());
        return 1;
    }
    return proofs.accept(payload, purpose) ? 2 : 0;
}
