import Core

/// The body of the command `portal render`: templates and data as JSON lines in, results as JSON lines out.
///
/// A line is `{"template": "…", "data": {…}, "templates": {"name": "source"}}`; `data` and `templates` (the snippets)
/// may be missing. The answer is `{"result": "…"}` or `{"error": "…"}`, one line for every line.
package enum RenderCommand {
    /// Reads bytes until they end, and hands every answer over, line feed included, as soon as it is made.
    ///
    /// - Parameter write: writes and flushes one answer.
    package static func run<Input: AsyncSequence>(
        input: Input, clock: WallClock = .system, limits: LiquidLimits = .default,
        write: ([UInt8]) async throws -> Void
    ) async throws where Input.Element == UInt8 {
        var line: [UInt8] = []
        for try await byte in input {
            if byte != ASCII.newline {
                line.append(byte)
                continue
            }
            if let answer = answer(to: line, clock: clock, limits: limits) { try await write(answer) }
            line.removeAll(keepingCapacity: true)
        }
        if let answer = answer(to: line, clock: clock, limits: limits) { try await write(answer) }
    }

    /// The answer to one line, with its line feed; nil for an empty line.
    package static func answer(
        to line: [UInt8], clock: WallClock = .system, limits: LiquidLimits = .default
    ) -> [UInt8]? {
        guard !line.allSatisfy(ASCII.isSpace) else { return nil }
        var answer: [UInt8] = []
        do throws(TemplateError) {
            let result: String = try render(line, clock: clock, limits: limits)
            answer += "{\"result\":".utf8
            answer.appendJSONString(result)
        } catch {
            answer = Array("{\"error\":".utf8)
            answer.appendJSONString(error.summary)
        }
        answer += "}\n".utf8
        return answer
    }

    private static func render(
        _ line: [UInt8], clock: WallClock, limits: LiquidLimits
    ) throws(TemplateError) -> String {
        guard case .object(let request) = try parse(line) else { throw refused("the line is no JSON object") }
        guard case .string(let source) = request["template"] else { throw refused("\"template\" must be a string") }
        var snippets: [String: String] = [:]
        if case .object(let sources) = request["templates"] {
            for (name, value) in zip(sources.shape.keys, sources.values) {
                if case .string(let text) = value { snippets[name] = text }
            }
        }
        let template = try LiquidTemplate(source, mode: .text, limits: limits)
        let partials = LiquidSnippets(snippets, mode: .text, limits: limits)
        return try template.render(request["data"] ?? .null, partials: partials, clock: clock)
    }

    private static func parse(_ line: [UInt8]) throws(TemplateError) -> LiquidValue {
        do throws(LiquidJSON.Failure) {
            return try LiquidJSON.parse(line)
        } catch {
            throw refused("\(error.message), at byte \(error.offset + 1)")
        }
    }

    private static func refused(_ message: String) -> TemplateError {
        TemplateError(name: "input", line: 1, column: 1, message: message, sourceLine: "")
    }
}
