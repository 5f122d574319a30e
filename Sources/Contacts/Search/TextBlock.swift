import Glibc

/// The texts of some people, one behind the other, to be searched as one.
struct TextBlock: Sendable {
    /// The places of the people among all.
    let places: Range<Int>
    /// A line for each of them, and a zero at the end, as C's strings have it.
    private let lines: [CChar]
    /// Where each line begins, and where one more would.
    private let starts: [Int32]

    /// - Parameter texts: a line for each of the people, none of them with a zero.
    init(_ places: Range<Int>, _ texts: ArraySlice<UInt8>) {
        self.places = places
        lines = texts.map(CChar.init(bitPattern:)) + [0]
        var starts: [Int32] = [0]
        starts.reserveCapacity(places.count + 1)
        for (place, byte) in texts.enumerated() where byte == UInt8(ascii: "\n") { starts.append(Int32(place + 1)) }
        starts.append(Int32(lines.count))
        self.starts = starts
    }

    /// Hands over the places of those with all the words, from `first` on, until it is told to stop. The first word is looked
    /// for in all texts at once: it should be the one that the fewest people have.
    func find(_ words: [String], from first: Int, _ take: (Int) -> Bool) {
        let others: [[UInt8]] = words.dropFirst().map { Array($0.utf8) }
        var line: Int = first - places.lowerBound
        lines.withUnsafeBufferPointer { lines in
            while line < places.count, let hit = Self.place(of: words[0], in: lines, from: Int(starts[line])) {
                line = number(ofLineAt: hit, from: line)
                let text = UnsafeBufferPointer(rebasing: lines[Int(starts[line])..<Int(starts[line + 1]) - 1])
                if others.allSatisfy({ Self.has($0, in: text) }), !take(places.lowerBound + line) { return }
                line += 1
            }
        }
    }

    private func number(ofLineAt byte: Int, from first: Int) -> Int {
        var (low, high) = (first, places.count)
        while low + 1 < high {
            let middle: Int = (low + high) / 2
            if starts[middle] <= byte { low = middle } else { high = middle }
        }
        return low
    }

    private static func place(of word: String, in texts: UnsafeBufferPointer<CChar>, from start: Int) -> Int? {
        guard let base = texts.baseAddress else { return nil }
        return word.withCString { strstr(base + start, $0) }.map { $0 - UnsafeMutablePointer(mutating: base) }
    }

    private static func has(_ word: [UInt8], in text: UnsafeBufferPointer<CChar>) -> Bool {
        guard let base = text.baseAddress, word.count <= text.count else { return false }
        return (0...(text.count - word.count)).contains { memcmp(base + $0, word, word.count) == 0 }
    }
}
