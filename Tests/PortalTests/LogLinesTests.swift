import Foundation
import Logging
import Synchronization
import Testing

@testable import Portal

@Suite("Log lines")
struct LogLinesTests {
    private func lines(_ body: (Logger) -> Void) -> [String] {
        let written = WrittenLines()
        body(Logger(label: "test") { _ in TerminalLogHandler(level: .info) { written.add($0) } })
        return written.all
    }

    @Test("Outside a terminal each line is one JSON object, whatever stands in it")
    func json() throws {
        let written = WrittenLines()
        var logger = Logger(label: "test") { label in
            JSONLogHandler(label: label, level: .info) { written.add($0) }
        }
        logger[metadataKey: "node"] = "a"
        logger.info("a \"quoted\"\nline", metadata: ["path": "C:\\x", "cell": "a\tb"])
        let line = try #require(written.all.first)
        #expect(line.hasSuffix("}\n") && line.filter { $0 == "\n" }.count == 1)
        let object = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
        #expect(object["level"] == "info" && object["logger"] == "test")
        #expect(object["message"] == "a \"quoted\"\nline")
        #expect(object["path"] == "C:\\x" && object["cell"] == "a b" && object["node"] == "a")
    }

    @Test("In a terminal information is its message with what belongs to it; what is worse says so first")
    func levels() {
        let lines = lines { logger in
            logger.info("listening", metadata: ["port": "5178", "address": "127.0.0.1"])
            logger.warning("no answer")
            logger.debug("not asked for")
        }
        #expect(lines.count == 2)
        #expect(lines.first?.dropFirst(8) == "  listening  address=127.0.0.1  port=5178\n")
        #expect(lines.last?.dropFirst(8) == "  warning: no answer\n")
    }

    @Test("Control characters from outside neither begin a line nor reach the terminal")
    func controls() {
        let lines = lines { $0.info("path /a\u{1B}[2J\nforged\u{9B}31m", metadata: ["agent": "x\r\ny"]) }
        #expect(lines.first?.dropFirst(8) == "  path /a [2J forged 31m  agent=x  y\n")
    }
}

private final class WrittenLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func add(_ line: [UInt8]) { lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
}
