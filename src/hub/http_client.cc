#include "hub/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "base/ascii.h"
#include "base/call.h"
#include "base/error.h"
#include "base/file.h"

namespace tandem {
namespace {

// Of one try, redirects included: a hub sends some forty lines for a file.
constexpr std::size_t kHeaderBytesMax = std::size_t{256} << 10;
constexpr std::size_t kHeaderLinesMax = 1000;
constexpr long kRedirectsMax = 10;
// Between two looks at whether a call goes on.
constexpr std::chrono::milliseconds kCallInterval{50};
constexpr auto kProgressInterval = std::chrono::milliseconds(200);

bool means_later(long status) { return status == 408 || status == 429 || status >= 500; }

/// Nothing answered where the server should be: another try a moment later is of little use.
bool is_unreachable(CURLcode code) {
  return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT ||
         code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_PROXY;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kBlank), text.size());
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

/// Where a URL leads, as libcurl reads it.
struct Target {
  bool is_encrypted = false;
  bool is_this_machine = false;
};

bool is_loopback(const std::string& host) {
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1) return (ntohl(address.s_addr) >> 24) == 127;
  return curl_strequal(host.c_str(), "localhost") != 0 || host == "[::1]";
}

Result<Target> read_url(const std::string& url) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> handle(curl_url(), curl_url_cleanup);
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    const CURLUcode code = curl_url_get(handle.get(), which, &text, 0);
    std::string result = code == CURLUE_OK ? text : "";
    curl_free(text);
    return result;
  };
  if (handle == nullptr || curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), CURLU_GUESS_SCHEME) != CURLUE_OK) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is no URL of a kind that is fetched, want https or http",
                without_userinfo(url));
  }
  return Target{.is_encrypted = part(CURLUPART_SCHEME) == "https",
                .is_this_machine = is_loopback(part(CURLUPART_HOST))};
}

/// The content of a download, written from `size_bytes` on.
struct PartialFile {
  FileDescriptor descriptor;
  std::string path;
  std::uint64_t size_bytes = 0;
  std::uint64_t size_bytes_max = 0;
  bool is_announced = false;        ///< size_bytes_max is what the file has to have.
  std::uint64_t first_bytes = 0;    ///< What was there before.
  std::uint64_t longest_bytes = 0;  ///< Only what goes beyond it is new: a server may start over again and again.

  Status append(const char* data, std::size_t size) {
    if (size > size_bytes_max - std::min(size_bytes, size_bytes_max)) {
      return fail(ErrorCode::kCorruptData, "{}: the server sends more than the {} bytes that {}", path, size_bytes_max,
                  is_announced ? "were announced" : "such a file may have");
    }
    while (size > 0) {
      const ssize_t written = ::pwrite(descriptor.get(), data, size, static_cast<off_t>(size_bytes));
      if (written < 0) {
        if (errno == EINTR) continue;
        return fail_errno(errno, "cannot write", path);
      }
      data += written;
      size -= static_cast<std::size_t>(written);
      size_bytes += static_cast<std::uint64_t>(written);
    }
    longest_bytes = std::max(longest_bytes, size_bytes);
    return {};
  }

  Status clear() {
    if (::ftruncate(descriptor.get(), 0) != 0) return fail_errno(errno, "cannot empty", path);
    size_bytes = 0;
    return {};
  }
};

/// curl_easy_perform() that looks at the call twenty times a second.
Result<CURLcode> perform_while(const CallOptions& call, CURL* curl) {
  const std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi(curl_multi_init(), curl_multi_cleanup);
  if (multi == nullptr || curl_multi_add_handle(multi.get(), curl) != CURLM_OK) {
    return fail(ErrorCode::kNetwork, "cannot start libcurl");
  }
  Status goes_on;
  for (int running = 1; goes_on && running > 0;) {
    if (curl_multi_perform(multi.get(), &running) != CURLM_OK) break;
    if (running > 0) curl_multi_poll(multi.get(), nullptr, 0, static_cast<int>(kCallInterval.count()), nullptr);
    goes_on = check_call(call);
  }
  CURLcode code = CURLE_RECV_ERROR;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  }
  curl_multi_remove_handle(multi.get(), curl);
  if (!goes_on) return tl::unexpected(goes_on.error());
  return code;
}

}  // namespace

/// One try: what libcurl's callbacks work on.
struct HttpClient::Transfer {
  const HttpOptions* options = nullptr;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();  ///< Of the first try.
  std::string url;
  PartialFile* file = nullptr;  ///< Null: into the response's body.
  const std::function<void(std::uint64_t)>* on_progress = nullptr;

  HttpResponse response;
  CURLcode code = CURLE_OK;
  std::array<char, CURL_ERROR_SIZE> error_text{};
  Status write_status;
  bool body_has_begun = false;
  std::uint64_t body_begin_bytes = 0;  ///< Where in the file the body begins.
  std::size_t header_bytes = 0;
  std::size_t header_lines = 0;
  std::chrono::steady_clock::time_point last_progress{};

  void reset() {
    Transfer fresh;
    fresh.options = options;
    fresh.start = start;
    fresh.url = std::move(url);
    fresh.file = file;
    fresh.on_progress = on_progress;
    fresh.last_progress = last_progress;
    *this = std::move(fresh);
  }

  std::string shown_url() const { return without_userinfo(url); }

  /// What is left of the time that the whole request may take; see HttpOptions.
  std::int64_t time_left_ms() const {
    const std::uint64_t new_bytes = file == nullptr ? 0 : file->longest_bytes - file->first_bytes;
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
    return options->time_ms_max + static_cast<std::int64_t>(new_bytes / options->bytes_per_s_min * 1000) - elapsed;
  }

  Status take_header(std::string_view line) {
    header_bytes += line.size();
    if (header_bytes > kHeaderBytesMax || ++header_lines > kHeaderLinesMax) {
      return fail(ErrorCode::kCorruptData, "{}: answers with more than {} lines or {} bytes of headers", shown_url(),
                  kHeaderLinesMax, kHeaderBytesMax);
    }
    response.take_header(line);
    return {};
  }

  Status take_body(const char* data, std::size_t size) {
    if (file == nullptr || !response.is_success()) {
      if (response.body.size() + size > options->answer_bytes_max) {
        return fail(ErrorCode::kCorruptData, "{}: answers with more than {} bytes", shown_url(),
                    options->answer_bytes_max);
      }
      response.body.append(data, size);
      return {};
    }
    if (!std::exchange(body_has_begun, true)) {
      RETURN_IF_ERROR(begin_file());
      body_begin_bytes = file->size_bytes;
    }
    return file->append(data, size);
  }

  /// Looks whether the server goes on where the file ends, as it was asked to, or starts from the beginning.
  Status begin_file() {
    if (response.status != 206) return file->size_bytes == 0 ? Status() : file->clear();
    if (response.range_begin() == file->size_bytes) return {};
    const auto range = response.last_headers.find("content-range");
    return fail(ErrorCode::kNetwork, "{}: asked for bytes from {} on, got \"{}\"", shown_url(), file->size_bytes,
                range == response.last_headers.end() ? "no content-range" : range->second);
  }

  void report_progress() {
    if (file == nullptr || on_progress == nullptr || !*on_progress) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_progress < kProgressInterval) return;
    last_progress = now;
    (*on_progress)(file->size_bytes);
  }

  /// Why this try failed, for people.
  Error error() const {
    if (!write_status) return write_status.error();
    if (time_left_ms() <= 0) {
      const std::int64_t seconds = options->time_ms_max / 1000;
      if (file == nullptr)
        return {ErrorCode::kNetwork, fmt::format("{}: takes longer than {} s", shown_url(), seconds)};
      return {ErrorCode::kNetwork, fmt::format("{}: takes longer than {} s and what its bytes take at {} bytes/s; {} "
                                               "bytes of it are here",
                                               shown_url(), seconds, options->bytes_per_s_min, file->size_bytes)};
    }
    std::string reason = code == CURLE_OK        ? fmt::format("HTTP status {}", response.status)
                         : error_text[0] != '\0' ? std::string(error_text.data())
                                                 : curl_easy_strerror(code);
    return {ErrorCode::kNetwork, fmt::format("{}: {}", shown_url(), reason)};
  }

  bool has_failed() const { return code != CURLE_OK || !write_status || means_later(response.status); }
};

std::string_view HttpResponse::header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

void HttpResponse::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    constexpr std::uint64_t kStatusMax = 999;
    last_headers.clear();
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::uint64_t number = parse_number(trimmed(line.substr(space))).value_or(0);
    status = number <= kStatusMax ? static_cast<long>(number) : 0;
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return;
  const std::string name = in_lower_case(line.substr(0, colon));
  const std::string value(trimmed(line.substr(colon + 1)));
  headers.emplace(name, value);
  last_headers.insert_or_assign(name, value);
}

std::optional<std::uint64_t> HttpResponse::range_begin() const {
  constexpr std::string_view kUnit = "bytes ";
  const auto range = last_headers.find("content-range");
  if (range == last_headers.end() || !range->second.starts_with(kUnit)) return std::nullopt;
  return parse_number(std::string_view(range->second).substr(kUnit.size()));
}

std::uint64_t HttpResponse::retry_after_s() const {
  const auto after = last_headers.find("retry-after");
  return after == last_headers.end() ? 0 : parse_number(after->second).value_or(0);
}

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) {
  // Initialised once; libcurl never needs to be put away before the process ends.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(initialised == CURLE_OK);
}

/// Fills in the transfer. A failed try is in it, not in the status: that is for what trying again does not mend.
Status HttpClient::perform(Transfer& transfer) const {
  transfer.reset();
  ASSIGN_OR_RETURN(const Target target, read_url(transfer.url));
  const bool has_token = !options_.bearer_token.empty();
  if (has_token && !target.is_encrypted && !target.is_this_machine && !options_.token_over_http) {
    return fail(
        ErrorCode::kInvalidArgument,
        "{}: everybody on the way could read the token, as this is no https: take an https address, or allow it "
        "with tandem pull --token-over-http",
        transfer.shown_url());
  }
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  if (handle == nullptr) return fail(ErrorCode::kNetwork, "cannot start libcurl");
  CURL* const curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, transfer.url.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "tandem");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer.error_text.data());
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // A proxy's own answers are not the server's.
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kRedirectsMax);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  // A server that is asked over TLS may not send us elsewhere in the clear.
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, target.is_encrypted ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, options_.connect_timeout_ms);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options_.bytes_per_s_min));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, options_.stall_timeout_s);
  if (has_token) {
    // What is meant for this machine is not for a proxy, which is another one.
    if (!target.is_encrypted && target.is_this_machine) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    // libcurl keeps this from other hosts and ports than the first, as long as CURLOPT_UNRESTRICTED_AUTH is off.
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, options_.bearer_token.c_str());
  }
  if (transfer.file != nullptr && transfer.file->size_bytes > 0) {
    curl_easy_setopt(curl, CURLOPT_RANGE, fmt::format("{}-", transfer.file->size_bytes).c_str());
  }
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(
      curl, CURLOPT_HEADERFUNCTION, +[](char* data, std::size_t, std::size_t size, void* user) -> std::size_t {
        auto& self = *static_cast<Transfer*>(user);
        self.write_status = self.take_header({data, size});
        return self.write_status ? size : 0;
      });
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(
      curl, CURLOPT_WRITEFUNCTION, +[](char* data, std::size_t, std::size_t size, void* user) -> std::size_t {
        auto& self = *static_cast<Transfer*>(user);
        self.write_status = self.take_body(data, size);
        return self.write_status ? size : CURL_WRITEFUNC_ERROR;
      });
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(
      curl, CURLOPT_XFERINFOFUNCTION, +[](void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) -> int {
        static_cast<Transfer*>(user)->report_progress();
        return static_cast<Transfer*>(user)->time_left_ms() > 0 ? 0 : 1;  // 1 ends it.
      });
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);

  ASSIGN_OR_RETURN(transfer.code, perform_while(options_.call, curl));
  curl_off_t connect_us = 0;
  curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connect_us);
  // A connection that was never made is no stalled transfer.
  if (transfer.code == CURLE_OPERATION_TIMEDOUT && connect_us == 0) transfer.code = CURLE_COULDNT_CONNECT;
  curl_off_t body_bytes = -1;
  curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &body_bytes);
  // A partial answer without a body does not say where it would have begun.
  if (body_bytes >= 0 && (transfer.body_has_begun || transfer.response.status != 206)) {
    transfer.response.announced_bytes = transfer.body_begin_bytes + static_cast<std::uint64_t>(body_bytes);
  }
  if (!transfer.write_status && transfer.write_status.error().code != ErrorCode::kNetwork) return transfer.write_status;
  return {};
}

/// False when it has been tried often enough, or for long enough.
Result<bool> HttpClient::wait_before_retry(const Transfer& transfer, int failures) const {
  if (failures >= options_.attempts_max) return false;
  std::int64_t wait_ms = options_.retry_wait_ms;
  for (int i = 1; i < failures && wait_ms < options_.retry_wait_max_ms; ++i) wait_ms *= 2;
  const std::uint64_t asked_s = std::min<std::uint64_t>(transfer.response.retry_after_s(), 3600);
  wait_ms = std::max(wait_ms, static_cast<std::int64_t>(asked_s) * 1000);
  wait_ms = std::min<std::int64_t>(wait_ms, options_.retry_wait_max_ms);
  if (transfer.time_left_ms() <= wait_ms) return false;
  RETURN_IF_ERROR(wait_while(options_.call, std::chrono::milliseconds(wait_ms)));
  return true;
}

Result<HttpResponse> HttpClient::get(const std::string& url) const {
  Transfer transfer;
  transfer.options = &options_;
  transfer.url = url;
  for (int failures = 1;; ++failures) {
    RETURN_IF_ERROR(perform(transfer));
    if (!transfer.has_failed()) return std::move(transfer.response);
    if (is_unreachable(transfer.code)) return tl::unexpected(transfer.error());
    ASSIGN_OR_RETURN(const bool goes_on, wait_before_retry(transfer, failures));
    if (!goes_on) return tl::unexpected(transfer.error());
  }
}

Result<HttpResponse> HttpClient::download(const Download& download) const {
  PartialFile file;
  file.path = download.file.string();
  file.size_bytes_max = download.size_bytes.value_or(download.bytes_max);
  file.is_announced = download.size_bytes.has_value();
  ASSIGN_OR_RETURN(file.descriptor, FileDescriptor::open(download.file, O_RDWR | O_CREAT));
  const off_t end = ::lseek(file.descriptor.get(), 0, SEEK_END);
  if (end < 0) return fail_errno(errno, "cannot read its size", file.path);
  file.size_bytes = static_cast<std::uint64_t>(end);
  // Longer than it can be, or as long with a checksum that was wrong: it is of no use.
  if (download.size_bytes && file.size_bytes >= *download.size_bytes) RETURN_IF_ERROR(file.clear());

  file.first_bytes = file.size_bytes;
  file.longest_bytes = file.size_bytes;

  Transfer transfer;
  transfer.options = &options_;
  transfer.url = download.url;
  transfer.file = &file;
  transfer.on_progress = &download.on_progress;
  for (int failures = 0;;) {
    const std::uint64_t size_before = file.size_bytes;
    const std::uint64_t longest_before = file.longest_bytes;
    RETURN_IF_ERROR(perform(transfer));
    // 416: there is nothing from there on. Without a known size that may be the end, or a file of another version.
    if (transfer.response.status == 416 && size_before > 0) {
      RETURN_IF_ERROR(file.clear());
      if (++failures < options_.attempts_max) continue;
    }
    const bool is_short = transfer.response.is_success() && download.size_bytes.value_or(0) > file.size_bytes;
    if (!transfer.has_failed() && !is_short) break;
    failures = file.longest_bytes - longest_before >= options_.progress_bytes_min ? 0 : failures + 1;
    bool goes_on = transfer.code != CURLE_PEER_FAILED_VERIFICATION;
    if (goes_on) {
      ASSIGN_OR_RETURN(goes_on, wait_before_retry(transfer, failures));
    }
    if (!goes_on) {
      if (transfer.has_failed()) return tl::unexpected(transfer.error());
      return fail(ErrorCode::kNetwork, "{}: ends after {} bytes, want {}", transfer.shown_url(), file.size_bytes,
                  *download.size_bytes);
    }
  }
  if (transfer.response.is_success()) {
    // An empty file has no body that could have replaced what was there.
    if (!transfer.body_has_begun && transfer.response.status != 206) RETURN_IF_ERROR(file.clear());
    if (download.on_progress) download.on_progress(file.size_bytes);
    if (::fsync(file.descriptor.get()) != 0) return fail_errno(errno, "cannot write to the disk", file.path);
  }
  return std::move(transfer.response);
}

std::string without_userinfo(std::string_view url) {
  const std::size_t colon = url.find(':');
  const std::size_t host = colon != url.npos && url.substr(colon).starts_with("://") ? colon + 3 : 0;
  // The last one: a password that is not encoded may hold anything.
  const std::size_t at = url.rfind('@');
  if (at == url.npos || at < host) return std::string(url);
  return std::string(url.substr(0, host)).append(url.substr(at + 1));
}

std::string without_userinfos(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n'\"<>()"), text.size());
    const std::size_t end = std::min(text.find_first_of(" \t\r\n'\"<>()", begin), text.size());
    shown.append(text.substr(0, begin));
    const std::string_view word = text.substr(begin, end - begin);
    shown.append(word.find("://") == word.npos ? std::string(word) : without_userinfo(word));
    text.remove_prefix(end);
  }
  return shown;
}

std::string url_segment(std::string_view text) {
  constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char character : text) {
    if (kUnreserved.find(character) != kUnreserved.npos) {
      encoded.push_back(character);
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(character));
    }
  }
  return encoded;
}

}  // namespace tandem
