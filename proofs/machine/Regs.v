(* SPDX-License-Identifier: Apache-2.0 *)
(** The registers of a CPU as an enumeration, with the numbers by which the C code
    names the members of a saved context.  A register file is a finite map over it, so
    that the sets that a switch saves and restores are lists.  Used by [State]. *)
From stdpp Require Import gmap.
From Coq Require Import ZArith.
Local Open Scope Z_scope.

(** General registers; the context's own program counter, state and bookkeeping;
    system registers of EL1 and EL2; trap controls; floating point. *)
Inductive reg :=
| X0 | X1 | X2 | X3 | X4 | X5 | X6 | X7
| X8 | X9 | X10 | X11 | X12 | X13 | X14 | X15
| X16 | X17 | X18 | X19 | X20 | X21 | X22 | X23
| X24 | X25 | X26 | X27 | X28 | X29 | X30 | PC
| PSTATE | SP_EL1 | ELR_EL1 | SPSR_EL1 | FAR_EL2 | HPFAR_EL2 | HCR_EL2 | EC
| DIRTY | FLAGS | MPIDR_EL1 | CSSELR_EL1 | SCTLR_EL1 | ACTLR_EL1 | CPACR_EL1 | TTBR0_EL1
| TTBR1_EL1 | TCR_EL1 | ESR_EL1 | AFSR0_EL1 | AFSR1_EL1 | FAR_EL1 | MAIR_EL1 | VBAR_EL1
| CONTEXTIDR_EL1 | TPIDR_EL0 | TPIDRRO_EL0 | TPIDR_EL1 | AMAIR_EL1 | CNTKCTL_EL1 | PAR_EL1 | MDSCR_EL1
| ELR_EL2 | SPSR_0 | ESR_EL2 | SP_EL0 | SPSR_EL2 | VMPIDR_EL2 | VTTBR_EL2 | TPIDR_EL2
| PMUSELR_EL0 | PMUSERENR_EL0 | MDCR_EL2 | CPTR_EL2 | CNTHCTL_EL2 | CNTVOFF_EL2 | Q0 | Q1 | Q2
| Q3 | Q4 | Q5 | Q6 | Q7 | Q8 | Q9 | Q10
| Q11 | Q12 | Q13 | Q14 | Q15 | Q16 | Q17 | Q18
| Q19 | Q20 | Q21 | Q22 | Q23 | Q24 | Q25 | Q26
| Q27 | Q28 | Q29 | Q30 | Q31 | FPSR | FPCR.

(** The number of a register in C. *)
Definition reg_code (r : reg) : Z :=
  match r with
  | X0 => 0 | X1 => 1 | X2 => 2 | X3 => 3
  | X4 => 4 | X5 => 5 | X6 => 6 | X7 => 7
  | X8 => 8 | X9 => 9 | X10 => 10 | X11 => 11
  | X12 => 12 | X13 => 13 | X14 => 14 | X15 => 15
  | X16 => 16 | X17 => 17 | X18 => 18 | X19 => 19
  | X20 => 20 | X21 => 21 | X22 => 22 | X23 => 23
  | X24 => 24 | X25 => 25 | X26 => 26 | X27 => 27
  | X28 => 28 | X29 => 29 | X30 => 30 | PC => 32
  | PSTATE => 33 | SP_EL1 => 34 | ELR_EL1 => 35 | SPSR_EL1 => 36
  | FAR_EL2 => 41 | HPFAR_EL2 => 42 | HCR_EL2 => 43 | EC => 44
  | DIRTY => 45 | FLAGS => 46 | MPIDR_EL1 => 47 | CSSELR_EL1 => 48
  | SCTLR_EL1 => 49 | ACTLR_EL1 => 50 | CPACR_EL1 => 51 | TTBR0_EL1 => 52
  | TTBR1_EL1 => 53 | TCR_EL1 => 54 | ESR_EL1 => 55 | AFSR0_EL1 => 56
  | AFSR1_EL1 => 57 | FAR_EL1 => 58 | MAIR_EL1 => 59 | VBAR_EL1 => 60
  | CONTEXTIDR_EL1 => 61 | TPIDR_EL0 => 62 | TPIDRRO_EL0 => 63 | TPIDR_EL1 => 64
  | AMAIR_EL1 => 65 | CNTKCTL_EL1 => 66 | PAR_EL1 => 67 | MDSCR_EL1 => 68
  | ELR_EL2 => 70 | SPSR_0 => 71 | ESR_EL2 => 72 | SP_EL0 => 73
  | SPSR_EL2 => 74 | VMPIDR_EL2 => 75 | VTTBR_EL2 => 76 | TPIDR_EL2 => 77
  | PMUSELR_EL0 => 78 | PMUSERENR_EL0 => 79 | MDCR_EL2 => 80 | CPTR_EL2 => 81
  | CNTHCTL_EL2 => 82 | CNTVOFF_EL2 => 83 | Q0 => 96 | Q1 => 97 | Q2 => 98
  | Q3 => 99 | Q4 => 100 | Q5 => 101 | Q6 => 102
  | Q7 => 103 | Q8 => 104 | Q9 => 105 | Q10 => 106
  | Q11 => 107 | Q12 => 108 | Q13 => 109 | Q14 => 110
  | Q15 => 111 | Q16 => 112 | Q17 => 113 | Q18 => 114
  | Q19 => 115 | Q20 => 116 | Q21 => 117 | Q22 => 118
  | Q23 => 119 | Q24 => 120 | Q25 => 121 | Q26 => 122
  | Q27 => 123 | Q28 => 124 | Q29 => 125 | Q30 => 126
  | Q31 => 127 | FPSR => 128 | FPCR => 129
  end.

Definition reg_of_code (c : Z) : option reg :=
  match c with
  | 0 => Some X0 | 1 => Some X1 | 2 => Some X2 | 3 => Some X3
  | 4 => Some X4 | 5 => Some X5 | 6 => Some X6 | 7 => Some X7
  | 8 => Some X8 | 9 => Some X9 | 10 => Some X10 | 11 => Some X11
  | 12 => Some X12 | 13 => Some X13 | 14 => Some X14 | 15 => Some X15
  | 16 => Some X16 | 17 => Some X17 | 18 => Some X18 | 19 => Some X19
  | 20 => Some X20 | 21 => Some X21 | 22 => Some X22 | 23 => Some X23
  | 24 => Some X24 | 25 => Some X25 | 26 => Some X26 | 27 => Some X27
  | 28 => Some X28 | 29 => Some X29 | 30 => Some X30 | 32 => Some PC
  | 33 => Some PSTATE | 34 => Some SP_EL1 | 35 => Some ELR_EL1 | 36 => Some SPSR_EL1
  | 41 => Some FAR_EL2 | 42 => Some HPFAR_EL2 | 43 => Some HCR_EL2 | 44 => Some EC
  | 45 => Some DIRTY | 46 => Some FLAGS | 47 => Some MPIDR_EL1 | 48 => Some CSSELR_EL1
  | 49 => Some SCTLR_EL1 | 50 => Some ACTLR_EL1 | 51 => Some CPACR_EL1 | 52 => Some TTBR0_EL1
  | 53 => Some TTBR1_EL1 | 54 => Some TCR_EL1 | 55 => Some ESR_EL1 | 56 => Some AFSR0_EL1
  | 57 => Some AFSR1_EL1 | 58 => Some FAR_EL1 | 59 => Some MAIR_EL1 | 60 => Some VBAR_EL1
  | 61 => Some CONTEXTIDR_EL1 | 62 => Some TPIDR_EL0 | 63 => Some TPIDRRO_EL0 | 64 => Some TPIDR_EL1
  | 65 => Some AMAIR_EL1 | 66 => Some CNTKCTL_EL1 | 67 => Some PAR_EL1 | 68 => Some MDSCR_EL1
  | 70 => Some ELR_EL2 | 71 => Some SPSR_0 | 72 => Some ESR_EL2 | 73 => Some SP_EL0
  | 74 => Some SPSR_EL2 | 75 => Some VMPIDR_EL2 | 76 => Some VTTBR_EL2 | 77 => Some TPIDR_EL2
  | 78 => Some PMUSELR_EL0 | 79 => Some PMUSERENR_EL0 | 80 => Some MDCR_EL2 | 81 => Some CPTR_EL2
  | 82 => Some CNTHCTL_EL2 | 83 => Some CNTVOFF_EL2 | 96 => Some Q0 | 97 => Some Q1 | 98 => Some Q2
  | 99 => Some Q3 | 100 => Some Q4 | 101 => Some Q5 | 102 => Some Q6
  | 103 => Some Q7 | 104 => Some Q8 | 105 => Some Q9 | 106 => Some Q10
  | 107 => Some Q11 | 108 => Some Q12 | 109 => Some Q13 | 110 => Some Q14
  | 111 => Some Q15 | 112 => Some Q16 | 113 => Some Q17 | 114 => Some Q18
  | 115 => Some Q19 | 116 => Some Q20 | 117 => Some Q21 | 118 => Some Q22
  | 119 => Some Q23 | 120 => Some Q24 | 121 => Some Q25 | 122 => Some Q26
  | 123 => Some Q27 | 124 => Some Q28 | 125 => Some Q29 | 126 => Some Q30
  | 127 => Some Q31 | 128 => Some FPSR | 129 => Some FPCR
  | _ => None
  end.

Lemma reg_of_code_of r : reg_of_code (reg_code r) = Some r.
Proof. destruct r; reflexivity. Qed.

#[global] Instance reg_eq_dec : EqDecision reg.
Proof.
  intros a b. destruct (decide (reg_code a = reg_code b)) as [E|N].
  - left. apply (f_equal reg_of_code) in E. rewrite !reg_of_code_of in E. congruence.
  - right. congruence.
Defined.

#[global] Instance reg_countable : Countable reg.
Proof. exact (inj_countable reg_code reg_of_code reg_of_code_of). Defined.

Notation regfile := (gmap reg Z).

(** A register that was never written reads as zero. *)
Definition reg_get (r : reg) (m : regfile) : Z := default 0 (m !! r).
