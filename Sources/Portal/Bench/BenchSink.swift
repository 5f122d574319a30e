import Core
import FoundationEssentials

/// The mail server that a bench started.
struct BenchSink: Sendable {
    let process: BenchProcess
    let directory: String
    let port: Int

    static func start(_ stage: BenchStage) async throws -> BenchSink {
        let directory = "\(stage.directory)/sink"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let process = try BenchProcess.start(
            stage.options.program, ["bench", "sink", "--directory", directory], environment: [:],
            log: "\(directory)/log")
        guard let port = try await read("\(directory)/port").flatMap({ Int($0) }) else {
            await process.stop()
            throw BenchError("The mail server of the bench did not start.")
        }
        return BenchSink(process: process, directory: directory, port: port)
    }

    /// Ends the server; answers what it was given.
    func summary() async throws -> JSONValue {
        try Data().write(to: URL(filePath: "\(directory)/stop"))
        guard let text = try await Self.read("\(directory)/summary") else {
            throw BenchError("The mail server of the bench said nothing at its end.")
        }
        return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    /// How many messages each recipient got; after `summary()`.
    func recipients() throws -> [String: Int] {
        let data = try Data(contentsOf: URL(filePath: "\(directory)/recipients"))
        var counts: [String: Int] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            counts[line.lowercased(), default: 0] += 1
        }
        return counts
    }

    private static func read(_ path: String) async throws -> String? {
        for _ in 0..<3000 {
            if let data = FileManager.default.contents(atPath: path) { return String(decoding: data, as: UTF8.self) }
            try await Task.sleep(for: .milliseconds(10))
        }
        return nil
    }
}
