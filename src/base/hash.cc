#include "base/hash.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/call.h"
#include "base/error.h"
#include "base/file.h"

namespace tandem {

struct Hasher::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher(HashKind kind) : impl_(std::make_unique<Impl>()) {
  // These fail only when memory is exhausted or OpenSSL was built without the algorithm.
  CHECK(impl_->context != nullptr);
  CHECK(EVP_DigestInit_ex(impl_->context, kind == HashKind::kSha256 ? EVP_sha256() : EVP_sha1(), nullptr) == 1);
}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> bytes) {
  CHECK(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1);
}

std::string Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  CHECK(EVP_DigestFinal_ex(impl_->context, digest.data(), &size) == 1);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

Status hash_file(const std::filesystem::path& path, Hasher& hasher, const CallOptions& call) {
  // Read, not mapped: a file that another process shortens must give an error here, not a signal.
  ASSIGN_OR_RETURN(const FileDescriptor file, FileDescriptor::open_regular(path, O_RDONLY));
  std::vector<std::byte> buffer(std::size_t{1} << 18);
  for (;;) {
    RETURN_IF_ERROR(check_call(call));
    const ssize_t bytes = ::read(file.get(), buffer.data(), buffer.size());
    if (bytes == 0) return {};
    if (bytes > 0) {
      hasher.update(std::span(buffer).first(static_cast<std::size_t>(bytes)));
    } else if (errno != EINTR) {
      return fail_errno(errno, "cannot read", path.string());
    }
  }
}

Result<std::string> sha256_file(const std::filesystem::path& path, const CallOptions& call) {
  Hasher hasher(HashKind::kSha256);
  RETURN_IF_ERROR(hash_file(path, hasher, call));
  return hasher.finish();
}

}  // namespace tandem
