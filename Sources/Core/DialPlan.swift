/// How a country writes its telephone numbers: what is needed to bring a number into international form.
///
/// Facts of the ITU's list of assigned country codes (E.164 annex) and national numbering plans: the lengths are
/// those of a number behind the country code.
struct DialPlan: Sendable {
    let callingCode: Int
    let lengths: ClosedRange<Int>
    /// What callers inside the country dial first and callers from outside leave out; empty where there is none.
    let trunkPrefix: String
    let internationalPrefix: String

    /// A national number, or one behind a country code, without its trunk prefix.
    func nationalNumber(_ digits: [UInt8]) throws(PhoneNumber.Flaw) -> [UInt8] {
        var national: [UInt8] = digits
        if !trunkPrefix.isEmpty, national.starts(with: trunkPrefix.utf8) {
            let rest: [UInt8] = Array(national.dropFirst(trunkPrefix.utf8.count))
            // Where the trunk prefix is also a first digit of numbers (7 and 8 in Russia) length decides.
            if trunkPrefix == "0" || !lengths.contains(national.count) { national = rest }
        }
        guard national.count >= lengths.lowerBound else { throw .tooShort }
        guard national.count <= lengths.upperBound else { throw .tooLong }
        if callingCode == 1 {
            // NANP: neither the area code nor the exchange begins with 0 or 1.
            guard national[0] >= UInt8(ascii: "2"), national[3] >= UInt8(ascii: "2") else { throw .impossible }
        }
        guard callingCode == 39 || callingCode > 100 || national.first != UInt8(ascii: "0") else { throw .impossible }
        return national
    }

    static func plan(ofRegion region: String) -> DialPlan? { tables.byRegion[region] }
    static func plan(ofCode code: Int) -> DialPlan? { tables.byCode[code] }

    private struct Tables: Sendable {
        var byRegion: [String: DialPlan] = [:]
        var byCode: [Int: DialPlan] = [:]
    }

    private static let tables: Tables = {
        var tables = Tables()
        for line in lines.split(separator: "\n") {
            let parts: [Substring] = line.split(separator: " ")
            guard parts.count >= 4, let code = Int(parts[0]) else { continue }
            let bounds: [Int] = parts[2].split(separator: "-").compactMap { Int($0) }
            guard let shortest = bounds.first, let longest = bounds.last else { continue }
            let plan = DialPlan(
                callingCode: code, lengths: shortest...longest, trunkPrefix: parts[3] == "-" ? "" : String(parts[3]),
                internationalPrefix: parts.count > 4 ? String(parts[4]) : "00")
            tables.byCode[code] = plan
            for region in parts[1].split(separator: ",") { tables.byRegion[String(region)] = plan }
        }
        return tables
    }()

    // Country code, regions, lengths, trunk prefix, international prefix where it is not 00.
    private static let lines: String = """
        1 US,CA,AG,AI,AS,BB,BM,BS,DM,DO,GD,GU,JM,KN,KY,LC,MP,MS,PR,SX,TC,TT,VC,VG,VI 10 1 011
        20 EG 8-10 0
        27 ZA 9 0
        30 GR 10 -
        31 NL 9 0
        32 BE 8-9 0
        33 FR 9 0
        34 ES 9 -
        36 HU 8-9 06
        39 IT,VA 6-12 -
        40 RO 9 0
        41 CH 9 0
        43 AT 4-13 0
        44 GB,GG,IM,JE 9-10 0
        45 DK 8 -
        46 SE 7-10 0
        47 NO,SJ 8 -
        48 PL 9 -
        49 DE 5-13 0
        51 PE 8-9 0
        52 MX 10 01
        53 CU 6-8 0 119
        54 AR 10-11 0
        55 BR 10-11 0
        56 CL 9 -
        57 CO 8-10 0
        58 VE 10 0
        60 MY 8-10 0
        61 AU,CC,CX 9 0 0011
        62 ID 7-12 0
        63 PH 8-10 0
        64 NZ 8-10 0
        65 SG 8 - 001
        66 TH 8-9 0
        7 RU,KZ 10 8 810
        81 JP 9-10 0 010
        82 KR 8-10 0
        84 VN 9-10 0
        86 CN 10-11 0
        90 TR 10 0
        91 IN 10 0
        92 PK 9-10 0
        93 AF 9 0
        94 LK 9 0
        95 MM 7-10 0
        98 IR 10 0
        211 SS 9 0
        212 MA,EH 9 0
        213 DZ 8-9 0
        216 TN 8 -
        218 LY 8-9 0
        220 GM 7 -
        221 SN 9 -
        222 MR 8 -
        223 ML 8 -
        224 GN 8-9 -
        225 CI 10 -
        226 BF 8 -
        227 NE 8 -
        228 TG 8 -
        229 BJ 8-10 -
        230 MU 7-8 -
        231 LR 7-9 0
        232 SL 8 0
        233 GH 9 0
        234 NG 8-10 0 009
        235 TD 8 -
        236 CF 8 -
        237 CM 8-9 -
        238 CV 7 -
        239 ST 7 -
        240 GQ 9 -
        241 GA 7-8 0
        242 CG 9 -
        243 CD 7-9 0
        244 AO 9 -
        245 GW 7-9 -
        246 IO 7 -
        247 AC 5-6 -
        248 SC 7 -
        249 SD 9 0
        250 RW 8-9 0
        251 ET 9 0
        252 SO 6-9 0
        253 DJ 8 -
        254 KE 7-10 0 000
        255 TZ 9 0 000
        256 UG 9 0 000
        257 BI 8 -
        258 MZ 8-9 -
        260 ZM 9 0
        261 MG 9 0
        262 RE,YT 9 0
        263 ZW 6-10 0
        264 NA 8-9 0
        265 MW 7-9 0
        266 LS 8 -
        267 BW 7-8 -
        268 SZ 8 -
        269 KM 7 -
        290 SH,TA 4-5 -
        291 ER 7 0
        297 AW 7 -
        298 FO 6 -
        299 GL 6 -
        350 GI 8 -
        351 PT 9 -
        352 LU 4-11 -
        353 IE 7-10 0
        354 IS 7-9 -
        355 AL 8-9 0
        356 MT 8 -
        357 CY 8 -
        358 FI,AX 5-12 0
        359 BG 7-9 0
        370 LT 8 0
        371 LV 8 -
        372 EE 7-8 -
        373 MD 8 0
        374 AM 8 0
        375 BY 9 80 810
        376 AD 6-9 -
        377 MC 8-9 0
        378 SM 6-10 -
        380 UA 9 0
        381 RS 7-10 0
        382 ME 8-9 0
        383 XK 8-9 0
        385 HR 8-9 0
        386 SI 8 0
        387 BA 8-9 0
        389 MK 8 0
        420 CZ 9 -
        421 SK 9 0
        423 LI 7-9 0
        500 FK 5 -
        501 BZ 7 -
        502 GT 8 -
        503 SV 8 -
        504 HN 8 -
        505 NI 8 -
        506 CR 8 -
        507 PA 7-8 -
        508 PM 6 0
        509 HT 8 -
        590 GP,BL,MF 9 0
        591 BO 8 0
        592 GY 7 - 001
        593 EC 8-9 0
        594 GF 9 0
        595 PY 8-9 0
        596 MQ 9 0
        597 SR 6-7 -
        598 UY 7-8 0
        599 CW,BQ 7-8 -
        670 TL 7-8 -
        672 NF 5-6 -
        673 BN 7 -
        674 NR 7 -
        675 PG 7-8 -
        676 TO 5-7 -
        677 SB 5-7 -
        678 VU 5-7 -
        679 FJ 7 -
        680 PW 7 -
        681 WF 6 -
        682 CK 5 -
        683 NU 4-7 -
        685 WS 5-7 -
        686 KI 5-8 -
        687 NC 6 -
        688 TV 5-7 -
        689 PF 6-8 -
        690 TK 4-7 -
        691 FM 7 -
        692 MH 7 1 011
        850 KP 8-10 0
        852 HK 8 - 001
        853 MO 8 -
        855 KH 8-9 0 001
        856 LA 8-10 0
        880 BD 6-10 0
        886 TW 8-9 0 002
        960 MV 7 -
        961 LB 7-8 0
        962 JO 8-9 0
        963 SY 8-9 0
        964 IQ 8-10 0
        965 KW 8 -
        966 SA 9 0
        967 YE 7-9 0
        968 OM 8 -
        970 PS 8-9 0
        971 AE 8-9 0
        972 IL 8-9 0
        973 BH 8 -
        974 QA 8 -
        975 BT 7-8 -
        976 MN 8 0 001
        977 NP 8-10 0
        992 TJ 9 - 810
        993 TM 8 8 810
        994 AZ 9 0
        995 GE 9 0
        996 KG 9 0
        998 UZ 9 -
        """
}
