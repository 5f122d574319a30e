import FoundationEssentials

/// The view files of a directory.
struct ViewDirectory: Sendable {
    let path: String

    init(_ path: String) {
        self.path = path
    }

    /// Paths under the directory, sorted.
    func files() -> [String] {
        guard let walk = try? FileManager.default.subpathsOfDirectory(atPath: path) else { return [] }
        return walk.filter { $0.hasSuffix(".html") || $0.hasSuffix(".txt") }.sorted()
    }

    /// The text of every file by its path.
    func sources() throws(ViewErrors) -> [String: String] {
        var sources: [String: String] = [:]
        var errors: [TemplateError] = []
        for file in files() {
            if let data = FileManager.default.contents(atPath: "\(path)/\(file)"),
                let text = String(validating: data, as: UTF8.self)
            {
                sources[file] = text
            } else {
                errors.append(
                    TemplateError(
                        name: "Views/\(file)", line: 1, column: 1, message: "this file cannot be read as UTF-8",
                        sourceLine: ""))
            }
        }
        if sources.isEmpty, errors.isEmpty {
            errors.append(
                TemplateError(name: nil, line: 1, column: 1, message: "there are no views in \(path)", sourceLine: ""))
        }
        if !errors.isEmpty { throw ViewErrors(errors) }
        return sources
    }
}
