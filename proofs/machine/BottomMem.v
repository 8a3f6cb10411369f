(* SPDX-License-Identifier: Apache-2.0 *)
(** The primitives by which a user's access reaches physical memory: one word is loaded
    into, or stored from, a general register of this CPU.  One accessor each and no policy:
    this file is part of what a reader must trust.  The words of page tables are not in this
    memory: that no table leads a user to them is for the layers that own frames to prove.
    Rests on [State]; C prototypes in [layers/prims.h]. *)
From SeKVM.machine Require Export BottomPages.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** Physical addresses of words: 48 bits, aligned. *)
Definition in_memory (a : Z) : bool := (a <? 281474976710656) && (a mod 8 =? 0).

(** The general registers X0 to X30. *)
Definition user_reg (r : Z) : option reg := if r <? 31 then reg_of_code r else None.

Section Memory.
  Context {F : Type -> Type} {N M P : Type}.

  (** One access: the writes of other CPUs that came before happen. *)
  Definition sync_mem (m : memview) : memview :=
    let before := hd [] (m_script m) in
    mkmem (apply_writes before (m_words m)) (before ++ m_log m)%list (tl (m_script m)).
  Definition write_mem (me a w : Z) (m : memview) : memview :=
    mkmem (<[a := w]> (m_words m)) ((me, (a, w)) :: m_log m) (m_script m).

  Definition set_reg (x : reg) (w : Z) (c : cpu) : cpu :=
    mkcpu (cpu_id c) (cpu_vmid c) (cpu_vcpuid c) (<[x := w]> (cpu_regs c)).

  (** A register and a word of memory have 64 bits. *)
  Definition load_word (a : Z) (x : reg) (s : St F N M P) : St F N M P :=
    let m := sync_mem (st_mem s) in
    set_mem m (set_cpu (set_reg x (wrap U64 (word (m_words m) a)) (st_cpu s)) s).
  Definition store_word (a : Z) (x : reg) (s : St F N M P) : St F N M P :=
    set_mem (write_mem (cpu_id (st_cpu s)) a (wrap U64 (reg_get x (cpu_regs (st_cpu s)))) (sync_mem (st_mem s))) s.

  Definition phys_access (f : Z -> reg -> St F N M P -> St F N M P) : prim (St F N M P) :=
    p2 None U64 U32 (fun a r s =>
      rely in_memory a;
      some x := user_reg r;
      ret 0 (f a x s)).
  Definition phys_load : prim (St F N M P) := phys_access load_word.
  Definition phys_store : prim (St F N M P) := phys_access store_word.

  Definition T_mem : tbl (St F N M P) := [("phys_load", phys_load); ("phys_store", phys_store)].
End Memory.
