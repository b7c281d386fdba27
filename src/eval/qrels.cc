#include <fmt/format.h>

#include <array>
#include <iterator>

#include "base/controls.h"
#include "base/error.h"
#include "base/trec.h"
#include "eval/qrels_and_runs.h"
#include "eval/text_fields.h"

namespace tandem {
namespace {

constexpr std::string_view kBeirHeader = "query-id\tcorpus-id\tscore";

// One line, in either format, told apart by the first.
class QrelsLineReader {
 public:
  explicit QrelsLineReader(Qrels& qrels) : qrels_(qrels) {}

  Status read(std::string_view line) {
    if (!format_) {
      std::array<std::string_view, 3> columns;
      const bool tabs = split_at_tabs(line, columns) == columns.size();
      format_ = tabs ? QrelsFormat::kBeir : QrelsFormat::kTrec;
      if (tabs && columns[2] == "score") return {};
    }
    switch (*format_) {
      case QrelsFormat::kTrec:
        return read_trec(line);
      case QrelsFormat::kBeir:
        return read_beir(line);
    }
    return {};
  }

 private:
  Status read_trec(std::string_view line) {
    std::array<std::string_view, 4> columns;
    if (const std::size_t count = split_blanks(line, columns); count != columns.size()) {
      return fail(ErrorCode::kCorruptData, "expected 4 columns (query, 0, document, relevance), got {}",
                  count > columns.size() ? "more" : fmt::format("{}", count));
    }
    return add(columns[0], columns[2], columns[3]);
  }

  Status read_beir(std::string_view line) {
    std::array<std::string_view, 3> columns;
    if (const std::size_t count = split_at_tabs(line, columns); count != columns.size()) {
      return fail(ErrorCode::kCorruptData, "expected 3 columns with tabs between them (query, document, score), got {}",
                  count > columns.size() ? "more" : fmt::format("{}", count));
    }
    return add(columns[0], columns[1], columns[2]);
  }

  Status add(std::string_view query_id, std::string_view document_id, std::string_view relevance) {
    const std::optional<std::int32_t> number = parse_integer(relevance);
    if (!number) return fail(ErrorCode::kCorruptData, "expected a whole number as relevance, got '{}'", relevance);
    return qrels_.add(query_id, document_id, *number);
  }

  Qrels& qrels_;
  std::optional<QrelsFormat> format_;
};

bool fits(std::string_view id, QrelsFormat format) {
  switch (format) {
    case QrelsFormat::kTrec:
      return is_one_word(id);
    case QrelsFormat::kBeir:
      return !has_control(id);
  }
  return false;
}

}  // namespace

Qrels::Qrels() : impl_(std::make_unique<Impl>()) {}
Qrels::Qrels(Qrels&&) noexcept = default;
Qrels& Qrels::operator=(Qrels&&) noexcept = default;
Qrels::~Qrels() = default;

Result<Qrels> Qrels::read(const std::filesystem::path& path) {
  Qrels qrels;
  QrelsLineReader reader(qrels);
  RETURN_IF_ERROR(for_each_line(path.string(), "judgement", [&](std::string_view line) { return reader.read(line); }));
  if (qrels.judgements() == 0) return fail(ErrorCode::kCorruptData, "{}: holds no judgement", path.string());
  return qrels;
}

Status Qrels::write(const std::filesystem::path& path, QrelsFormat format) const {
  ASSIGN_OR_RETURN(TextFile file, TextFile::create(path));
  if (format == QrelsFormat::kBeir) {
    file.text().append(kBeirHeader).push_back('\n');
    RETURN_IF_ERROR(file.end_line());
  }
  for (std::uint32_t query = 0; query < impl_->queries().size(); ++query) {
    const std::string_view query_id = impl_->queries()[query];
    const QueryList<std::int32_t>& list = impl_->lists()[query];
    for (std::uint32_t place = 0; place < list.values.size(); ++place) {
      const std::string_view document_id = list.documents[place];
      const bool query_fits = fits(query_id, format) && can_begin_line(query_id);
      if (!query_fits || !fits(document_id, format)) {
        return fail(ErrorCode::kUnsupported, "{}: cannot hold the id '{}'", path.string(),
                    query_fits ? document_id : query_id);
      }
      switch (format) {
        case QrelsFormat::kTrec:
          fmt::format_to(std::back_inserter(file.text()), "{} 0 {} {}\n", query_id, document_id, list.values[place]);
          break;
        case QrelsFormat::kBeir:
          fmt::format_to(std::back_inserter(file.text()), "{}\t{}\t{}\n", query_id, document_id, list.values[place]);
          break;
      }
      RETURN_IF_ERROR(file.end_line());
    }
  }
  return file.commit();
}

Status Qrels::add(std::string_view query_id, std::string_view document_id, std::int32_t relevance) {
  return impl_->add(query_id, document_id, relevance);
}

std::size_t Qrels::queries() const { return impl_->queries().size(); }
std::size_t Qrels::judgements() const { return impl_->size(); }
std::vector<std::string_view> Qrels::query_ids() const { return impl_->query_ids(); }

std::vector<Judgement> Qrels::judgements_of(std::string_view query_id) const {
  std::vector<Judgement> judgements;
  if (const QueryList<std::int32_t>* list = impl_->list_of(query_id)) {
    for (std::uint32_t place = 0; place < list->values.size(); ++place) {
      judgements.push_back({list->documents[place], list->values[place]});
    }
  }
  return judgements;
}

Result<Qrels> Qrels::of_queries(std::span<const std::string_view> query_ids) const {
  Qrels qrels;
  for (const std::string_view query_id : query_ids) {
    for (const Judgement& judgement : judgements_of(query_id)) {
      RETURN_IF_ERROR(qrels.add(query_id, judgement.document_id, judgement.relevance));
    }
  }
  return qrels;
}

}  // namespace tandem
