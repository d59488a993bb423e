"""Lists of shares as NSE publishes them: each file told by its header, each fault named."""

from datetime import date
from pathlib import Path

import pytest

from data.csvfiles import FileProblem
from data.errors import BadInput
from data.reference.files.share_lists import read_share_file

INDICATOR = (
    "ScripCode,Symbol,Nse Exclusive,Status,Series,GSM,"
    "Long_Term_Additional_Surveillance_Measure (Long Term ASM),Unsolicited_SMS,"
    "Insolvency_Resolution_Process(IRP),"
    "Short_Term_Additional_Surveillance_Measure (Short Term ASM),Default,ICA,Filler4,Filler5,"
    "Pledge,Add-on_PB,Total Pledge,Social Media Platforms,ESM,Loss making\n"
    "NA, RELIANCE ,N,A,EQ,100,100,100,100,1,100,100,,,100,100,100,100,100,100\n"
    "NA,VOGL,N,A,BE,0,100,100,1,100,100,100,,,100,100,100,100,2,0\n"
)


def read(tmp_path: Path, file: str, text: str, name: str = ""):
    path = tmp_path / file
    path.write_text(text)
    found = read_share_file(path, name)
    return {one.name: (one.as_of, {share.symbol: share.told for share in one.shares}) for one in found}


def test_the_surveillance_indicator_makes_a_list_of_each_measure(tmp_path):
    day = date(2026, 11, 17)
    assert read(tmp_path, "REG1_IND171126.csv", INDICATOR) == {
        "gsm": (day, {"VOGL": "stage 0"}),
        "asm_long": (day, {}),
        "asm_short": (day, {"RELIANCE": "stage 1"}),
        "esm": (day, {"VOGL": "stage 2"}),
        "insolvency": (day, {"VOGL": "stage 1"}),
        "t2t": (day, {"VOGL": "series BE"}),
    }


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        (
            "fo_mktlots.csv",
            "UNDERLYING ,SYMBOL ,NOV-26\nNIFTY 50,NIFTY,65\n"
            "Derivatives on Individual Securities,Symbol,NOV-26\nABB INDIA LIMITED,ABB,125\n",
            {"fno": (None, {"ABB": ""})},
        ),
        (
            "fo_secban.csv",
            "Securities in Ban For Trade Date 18-NOV-2026:\n1,SAIL\n2,RBLBANK\n",
            {"fno_ban": (date(2026, 11, 18), {"SAIL": "", "RBLBANK": ""})},
        ),
        (
            "sec_list_17112026.csv",
            "Symbol,Series,Security Name,Band,Remarks\nAAA,BE,A,5,-\nBBB,BE,B,5,-\nBBB,EQ,B,20,-\n",
            {"t2t": (date(2026, 11, 17), {"AAA": "series BE"})},
        ),
        (
            "ind_nifty500list.csv",
            "Company Name,Industry,Symbol,Series,ISIN Code\nT,Information Technology,TCS,EQ,INE467B01029\n",
            {"sectors": (None, {"TCS": "Information Technology"})},
        ),
    ],
)
def test_other_files_of_the_exchange_are_told_by_their_header(tmp_path, file, text, found):
    assert read(tmp_path, file, text) == found


def test_a_file_of_no_known_layout_needs_a_name_and_any_bad_row_is_named(tmp_path):
    own = "Symbol,Reason\nTCS,results on Thursday\n"
    with pytest.raises(BadInput, match="give --as NAME"):
        read(tmp_path, "mine.csv", own)
    assert read(tmp_path, "mine.csv", own, "restricted") == {
        "restricted": (None, {"TCS": "results on Thursday"})
    }
    with pytest.raises(FileProblem) as refused:
        read(tmp_path, "mine.csv", "Symbol,ISIN\ntcs,\nINFY,X\n", "restricted")
    assert [(fault.row, fault.field) for fault in refused.value.problems] == [(2, "symbol"), (3, "isin")]
    with pytest.raises(FileProblem):
        read(tmp_path, "none.csv", "Name\nTCS\n", "restricted")
